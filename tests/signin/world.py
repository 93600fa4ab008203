"""One row of everything that has an address of its own, with a number and a mail wherever they can stand."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import clock
from service.core.lists.model import SavedView
from service.core.model import Attachment
from service.imports.model import Batch, ImportRow
from service.maintenance import actions as maintenance
from service.maintenance.model import MaintenanceReminder
from service.maintenance.patrols import actions as patrols
from service.maintenance.patrols.schemas import Found, Round
from service.parties import categories
from service.parties.model import Contact, ContactMail, Party, PartyDepartment
from service.sites.model import Site
from service.staff.model import Staff
from service.staff.security.model import Passkey
from tests import make

NUMBER, MAIL, OTHER = "13900007788", "lihua@hengtong.example", "13900006655"  # the other is of a contact alone


def rest(work: Session, cast: SimpleNamespace, party: Party) -> dict[str, int | str]:
    """What a firm has besides calls and tickets, all of it Pudong's or the firm's; the ids by the names that addresses use."""
    now, pudong, ada = clock.now(), cast.pudong, work.get_one(Staff, cast.ada.id)
    product = make.product(work)
    device = make.device(work, party, product_id=product.id)
    region = make.region(work, "华东")
    project = make.project(work, pudong, region_id=region.id, party_id=party.id)
    site = make.site(work, pudong, project_id=project.id, party_id=party.id, contact="王丽华", phone=NUMBER)
    device.site_id, device.contact_id = site.id, _contact(work, party)
    party.fax, ada.phone = NUMBER, NUMBER
    plan = make.plan(work, device, ada)
    maintenance.remind(work, at=now + timedelta(days=2))
    today = clock.local(now).date()
    round_ = patrols.plan(work, Round("线路", ada.id, today, today, (site.id,)), by=ada.id, at=now)
    patrol = patrols.record(work, Path(), Found(site.id, "外壳破损", True, "patrol", round_id=round_), by=ada.id, at=now)
    made: dict[str, int | str] = {
        "round_id": round_, "patrol_id": patrol,
        "product_id": product.id, "device_id": device.id, "code": device.code, "region_id": region.id, "project_id": project.id, "site_id": site.id,
        "plan_id": plan, "visit_id": work.scalars(select(MaintenanceReminder.id)).one(), "category_id": categories.add(work, "customer", "物流", None, by=ada.id, at=now),
        "picture_id": _picture(work, site, ada), "batch_id": _batch(work, ada), "view_id": _view(work, ada), "passkey_id": _passkey(work, ada),
    }  # fmt: skip
    work.execute(text("insert into product_category (id, name) values (:id, '打印机')"), {"id": made["category_id"]})
    return made


def _contact(work: Session, party: Party) -> int:
    unit = PartyDepartment(party_id=party.id, name="仓储部", branch_id=party.branch_id)
    work.add(unit)
    work.flush()
    person = make.contact(work, party, "赵敏", department_id=unit.id)
    make.phone(work, party, OTHER, work.get_one(Contact, person.id))
    work.add(ContactMail(party_id=party.id, contact_id=person.id, address=MAIL, branch_id=party.branch_id))
    work.flush()
    return person.id


def _picture(work: Session, site: Site, by: Staff) -> int:
    row = Attachment(entity="site", entity_id=site.id, token="t" * 32, name="x.jpg", width=1, height=1, bytes=1, at=clock.now(), by_id=by.id, branch_id=site.branch_id)
    work.add(row)
    work.flush()
    return row.id


def _batch(work: Session, by: Staff) -> int:
    """A table of customers with a row that cannot be loaded, as somebody brought it."""
    row = Batch(
        target="parties", file_name="x.csv", file="none.csv", sha256="x", bytes=1, heads=["客户名称", "电话"], sample=[["恒通", NUMBER]], mapping={"name": 0, "phones": 1},
        state="checked", rows=1, bad=1, by_id=by.id, created_at=clock.now(), branch_id=by.branch_id,
    )  # fmt: skip
    work.add(row)
    work.flush()
    wrong = [{"field": "phones", "code": "phone", "value": NUMBER, "facts": {}}]
    work.add(ImportRow(batch_id=row.id, line=2, state="bad", content={"name": "恒通", "phones": [NUMBER]}, raw=["恒通", NUMBER], wrong=wrong, branch_id=row.branch_id))
    work.flush()
    return row.id


def _view(work: Session, by: Staff) -> int:
    row = SavedView(list_name="customers", name="我的", query="", columns=[], owner_id=by.id, made_at=clock.now())
    work.add(row)
    work.flush()
    return row.id


def _passkey(work: Session, by: Staff) -> int:
    row = Passkey(staff_id=by.id, credential=b"x", public_key=b"x", sign_count=0, name="x", made_at=clock.now())
    work.add(row)
    work.flush()
    return row.id


