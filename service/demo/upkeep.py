"""Plans for some of the demo firm's devices: visits that wait, one that is late, and a few that were made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.devices.model import Device
from service.maintenance import actions
from service.maintenance.model import MaintenanceReminder
from service.maintenance.schemas import Plan
from service.staff import queries as staff

if TYPE_CHECKING:
    from service.demo.seed import Firm

WORK = ("清洁打印头，检查走纸机构", "检查风扇与散热，清理灰尘", "校准称重传感器，核对读数", "更换滤网，检查供电与接地")
FOUND = ("一切正常", "更换胶辊一根，其余正常", "风扇有异响，已上油；下次留意", "接地松动，已重新紧固")
PLANS = 26
# Whole months ahead or behind: some visits have been made, some wait, two are late.
BEGAN = (95, 64, 33, 40, 2)


def plant(session: Session, firm: Firm) -> None:
    """Every fourth customer's first device has a plan."""
    devices = [ids[0] for ids in list(firm.devices.values())[::2][:PLANS]]
    branches = {row.id: row.branch_id for row in session.execute(select(Device.id, Device.branch_id).where(Device.id.in_(devices)))}
    for number, device_id in enumerate(devices):
        _plan(session, firm, device_id, branches[device_id], number)


def _plan(session: Session, firm: Firm, device_id: int, branch_id: int, number: int) -> None:
    began = firm.today - timedelta(days=BEGAN[number % len(BEGAN)] + number % 7)
    timing, every = (("monthly", 1 + number % 28), ("interval", (30, 45, 90)[number % 3]))[number % 2]
    people = [person.id for person in staff.assignees(session, branch_id)]
    by, at = firm.staff["admin"], firm.now
    new = Plan(WORK[number % len(WORK)], timing, every, began, 5, people[number % len(people)] if people and number % 3 else None)
    plan_id = actions.plan(session, device_id, new, by=by, at=at)
    _go_through(session, plan_id, number, by, firm)


def _go_through(session: Session, plan_id: int, number: int, by: int, firm: Firm) -> None:
    """Visits of the past were made on their day, but for the last one of every sixth plan, which is late."""
    for visit in range(6):
        actions.remind(session, at=firm.now)
        due = session.scalars(select(MaintenanceReminder).where(MaintenanceReminder.plan_id == plan_id, MaintenanceReminder.state == "due")).first()
        if due is None or due.due_on >= firm.today or (number % 6 == 0 and visit == 1):
            return
        actions.complete(session, due.id, FOUND[(number + visit) % len(FOUND)], done_on=due.due_on, by=by, at=firm.now)
