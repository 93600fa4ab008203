"""The demo firm's regions, a project with its sites, and what stands there."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.devices.model import Device
from service.sites.model import Project, Region, Site

if TYPE_CHECKING:
    from service.demo.seed import Firm

TREE = (("华东", "East China", ""), ("上海", "Shanghai", "华东"), ("江苏", "Jiangsu", "华东"), ("苏州", "Suzhou", "江苏"), ("华南", "South China", ""))
SITES = (
    ("一号楼机房", "浦东新区张江路 368 号 1 号楼 B1", "31.203500", "121.590800", "王建国", "13900001101"),
    ("二号楼前台", "浦东新区张江路 368 号 2 号楼 1 层", "31.204100", "121.591300", "赵敏", "13900001102"),
    ("三号仓库", "浦东新区川沙路 1208 号", "31.190200", "121.702400", "", ""),
    ("外高桥配送站", "浦东新区富特西一路 99 号", "31.330800", "121.588200", "孙立", "13900001104"),
)


def plant(session: Session, firm: "Firm") -> None:
    """A customer of each branch has sites; the first one's belong to a project."""
    regions = _regions(session)
    pudong, suzhou = (next(party for party in firm.parties if party["branch"] == code and len(firm.devices[party["id"]]) > 3) for code in ("PD", "SZ"))
    project = _project(session, firm, pudong, regions["上海"])
    for place, values in enumerate(SITES):
        site = _site(session, firm, pudong["id"], place, values)
        site.project_id, site.region_id = project.id, regions["上海"]
        _move(session, firm.devices[pudong["id"]][place::4], site)
    site = _site(session, firm, suzhou["id"], len(SITES), ("苏州工厂一车间", "苏州工业园区星湖街 328 号", "31.298900", "120.734500", "陈芳", "13900001105"))
    site.region_id = regions["苏州"]
    _move(session, firm.devices[suzhou["id"]], site)
    session.flush()


def _regions(session: Session) -> dict[str, int]:
    made: dict[str, int] = {}
    for name, english, above in TREE:
        region = Region(name=name, name_en=english, parent_id=made.get(above))
        session.add(region)
        session.flush()
        made[name] = region.id
    return made


def _project(session: Session, firm: "Firm", party: dict[str, object], region_id: int) -> Project:
    project = Project(
        number="GC-2026-001", name="园区信息化改造", region_id=region_id, party_id=party["id"], amount=Decimal("486000.00"),
        products="热敏打印机 4 台\n边缘服务器 2 台\n工业交换机 6 台", created_at=firm.now - timedelta(days=210), branch_id=firm.branches["PD"],
    )  # fmt: skip
    session.add(project)
    session.flush()
    return project


def _site(session: Session, firm: "Firm", party_id: int, place: int, values: tuple[str, ...]) -> Site:
    name, address, latitude, longitude, contact, phone = values
    site = Site(
        number=f"S-{place + 1:04d}", name=name, address=address, latitude=Decimal(latitude), longitude=Decimal(longitude), contact=contact, phone=phone,
        party_id=party_id, created_at=firm.now - timedelta(days=200), branch_id=firm.branches["SZ" if place == len(SITES) else "PD"],
    )  # fmt: skip
    session.add(site)
    session.flush()
    return site


def _move(session: Session, ids: list[int], site: Site) -> None:
    for device in session.scalars(select(Device).where(Device.id.in_(ids))):
        device.site_id, device.project_id = site.id, site.project_id
