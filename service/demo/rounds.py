"""Two rounds of the demo firm: last week's, which left one site out, and this week's, which goes on; some visits found a fault."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.maintenance.patrols import actions
from service.maintenance.patrols.schemas import Found, Round
from service.sites.model import Site

if TYPE_CHECKING:
    from service.demo.seed import Firm

# Days ago, place of the site among those of the round, what was found, whether it is a fault.
SEEN = (
    (9, 0, "机房温度 24 度，一切正常", False),
    (9, 1, "前台打印机外壳开裂，尚能使用", True),
    (8, 2, "仓库门口网线外露，已临时固定", True),
    (1, 0, "机柜风扇有异响，建议更换", True),
    (0, 1, "外壳已更换，一切正常", False),
)
NOWHERE = Path("/nonexistent")  # the demo's patrols bring no pictures


def plant(session: Session, firm: Firm) -> None:
    """The first branch's sites are gone round by its technician."""
    stops = list(session.scalars(select(Site).where(Site.branch_id == firm.branches["PD"]).order_by(Site.number)))
    for name, began in (("浦东上周巡查", 12), ("浦东本周巡查", 2)):
        first = firm.today - timedelta(days=began)
        new = Round(name, firm.staff["technician"], first, first + timedelta(days=6), tuple(site.id for site in stops))
        actions.plan(session, new, by=firm.staff["supervisor"], at=firm.now - timedelta(days=began))
    for number, (ago, place, words, faulty) in enumerate(SEEN):
        _visit(session, firm, stops[place], number, ago, words, faulty)


def _visit(session: Session, firm: Firm, site: Site, number: int, ago: int, words: str, faulty: bool) -> None:
    at = firm.now - timedelta(days=ago, minutes=50 - 10 * place_of_day(number))
    found = Found(site.id, words, faulty, f"demo-patrol-{number}", latitude=str(site.latitude), longitude=str(site.longitude), accuracy=str(6 + 3 * number))
    visit_id = actions.record(session, NOWHERE, found, by=firm.staff["technician"], at=at)
    if faulty and ago > 1:
        actions.request_repair(session, visit_id, by=firm.staff["supervisor"], at=at + timedelta(minutes=30))


def place_of_day(number: int) -> int:
    """How many visits of the demo lie before this one on its day."""
    return sum(1 for ago, *_rest in SEEN[:number] if ago == SEEN[number][0])
