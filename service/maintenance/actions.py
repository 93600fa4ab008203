"""Plans are made and changed; their reminders come once, become tickets, and are done or skipped."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import audit, clock, db, editing, locks, numbers, scope
from service.core.errors import DeskError, Invalid, NotFound
from service.devices import queries as devices
from service.maintenance import rules
from service.maintenance.model import MaintenancePlan, MaintenanceReminder
from service.maintenance.rules import Timing
from service.maintenance.schemas import Plan
from service.staff import queries as staff
from service.tickets import actions as tickets
from service.tickets.actions import Finished
from service.tickets.schemas import NewTicket

JOB = "maintenance.remind"
LONGEST_CONTENT, LONGEST_FINDINGS = 500, 5000
NOON = timedelta(hours=12)  # the moment of a visit of which only the day is said


class WrongState(DeskError):
    """The plan or reminder is not where this step begins."""


def plan(session: Session, device_id: int, new: Plan, *, by: int, at: datetime, request_key: str | None = None) -> int:
    """The device is looked after from the day on that the plan begins; the same form twice is one plan. Returns its id."""
    if (known := _same_request(session, request_key)) is not None:
        return known
    device = devices.device(session, device_id)
    if device is None:
        raise NotFound(_("There is no such device in your branches. Look for it by its serial number."))
    _check(session, new, device.branch_id)
    row = MaintenancePlan(
        **_plain(new),
        number=numbers.take(session, "MP", at),
        device_id=device_id,
        next_due_on=_timing(new).first(new.starts_on),
        state="active",
        created_at=at,
        request_key=request_key,
        branch_id=device.branch_id,
    )
    session.add(row)
    session.flush()
    _told(session, row, "created", {}, _plain(new), by, at)
    remind(session, at=at, plan_id=row.id)
    return row.id


def change(session: Session, plan_id: int, new: Plan, *, version: int, by: int, at: datetime) -> None:
    """The plan is as described; another rhythm counts from the last visit or its beginning, whichever comes later."""
    row = _locked(session, plan_id)
    editing.fresh(row.version, version)
    _check(session, new, row.branch_id)
    old = {name: getattr(row, name) for name in _plain(new)}
    for name, value in _plain(new).items():
        setattr(row, name, value)
    if any(old[name] != getattr(new, name) for name in ("timing", "every", "starts_on")):
        first = _timing(new).first(new.starts_on)
        _go_on(session, row, max(_timing(new).following(row.done_on), first) if row.done_on else first)
    changed = {name for name in old if old[name] != getattr(new, name)}
    session.flush()
    remind(session, at=at, plan_id=plan_id)
    if changed:
        _told(session, row, "changed", {n: old[n] for n in changed}, {n: getattr(new, n) for n in changed}, by, at)


def set_state(session: Session, plan_id: int, state: str, *, by: int, at: datetime) -> None:
    """The plan goes on, rests, or has ended; what rested goes on with the next due date from today on."""
    row = _locked(session, plan_id)
    if state not in ("active", "paused", "ended") or row.state == "ended":
        raise WrongState(_("Plan %(number)s has ended. Make a new one.", number=row.number))
    if state == row.state:
        return
    old, row.state = row.state, state
    if state == "active" and row.next_due_on < (today := clock.local(at).date()):
        _go_on(session, row, _timing(row).after(row.next_due_on, today - timedelta(days=1))[0])
    if state == "ended":
        _drop(session, row, _("The plan has ended."))
    session.flush()
    remind(session, at=at, plan_id=plan_id)
    _told(session, row, "state changed", {"state": old}, {"state": state}, by, at)


def device_left(session: Session, device_id: int, *, by: int | None, at: datetime) -> None:
    """The plans by which a branch looked after the device end as it leaves the branch; registered by wire().

    Whoever was in charge works there and not where the device is now; that branch makes plans of its own.
    """
    plans = select(MaintenancePlan).where(MaintenancePlan.device_id == device_id, MaintenancePlan.state != "ended").order_by(MaintenancePlan.id)
    for row in session.scalars(plans.with_for_update()):
        old, row.state = row.state, "ended"
        _drop(session, row, _("The device went to another branch."))
        session.flush()
        _told(session, row, "state changed", {"state": old}, {"state": "ended"}, by, at)


_REMIND = text("""
    insert into maintenance_reminder (plan_id, device_id, due_on, created_at, branch_id)
    select plan.id, plan.device_id, plan.next_due_on, :at, plan.branch_id from maintenance_plan plan
    join device on device.id = plan.device_id and device.state <> 'retired'
    where (cast(:plan as bigint) is null or plan.id = :plan) and plan.state = 'active' and plan.next_due_on - plan.notice_days <= :today
      and not exists (select from maintenance_reminder open where open.plan_id = plan.id and open.state in ('due', 'dispatched'))
    order by plan.next_due_on, plan.id
    on conflict do nothing
""")


def remind(session: Session, *, at: datetime, plan_id: int | None = None) -> int:
    """Each plan, or the one that is named, has its reminder once its notice has begun, however often this runs; returns how many are new."""
    return int(session.execute(_REMIND, {"at": at, "today": clock.local(at).date(), "plan": plan_id}).rowcount)  # type: ignore[attr-defined]


def job(args: dict[str, Any]) -> None:
    """The daily round over the plans of all branches; safe to run twice."""
    with db.begin(scope.ALL) as session:
        remind(session, at=clock.now())


def dispatch(session: Session, reminder_id: int, *, assignee_id: int | None = None, by: int, at: datetime) -> int:
    """The reminder has its ticket, once; returns the ticket's id."""
    reminder = _reminder(session, reminder_id)
    if reminder.state == "dispatched" and reminder.ticket_id:
        return reminder.ticket_id
    if reminder.state != "due":
        raise WrongState(_("This visit is settled already. Load the list again."))
    row = session.get_one(MaintenancePlan, reminder.plan_id)
    device = devices.device(session, reminder.device_id)
    if device is None:
        raise NotFound(_("There is no such device in your branches. Look for it by its serial number."))
    new = NewTicket(
        party_id=device.party_id,
        device_id=device.id,
        subject=row.content.splitlines()[0][:200],
        description=row.content,
        priority="normal",
        type="upkeep",
        channel="plan",
        assignee_id=assignee_id or row.responsible_id,
        request_key=f"maintenance-{reminder.id}",
    )
    reminder.ticket_id, reminder.state = tickets.register(session, new, by=by, at=at), "dispatched"
    session.flush()
    return reminder.ticket_id


def ticket_finished(session: Session, news: Finished) -> None:
    """A visit whose ticket is finished is done, with what was found; registered by wire()."""
    known = session.scalars(select(MaintenanceReminder.id).where(MaintenanceReminder.ticket_id == news.ticket_id)).first()
    if known and (found := _reminder(session, known)).state == "dispatched":
        _done(session, found, clock.local(news.at).date(), news.at, news.result, news.by)


def complete(session: Session, reminder_id: int, findings: str, *, done_on: date, by: int, at: datetime) -> None:
    """The visit was made without a ticket; the plan goes on from here."""
    reminder, today = _reminder(session, reminder_id), clock.local(at).date()
    wrong = {}
    if not findings.strip():
        wrong["findings"] = _("Say what was found, even if all was well.")
    if done_on > today:
        wrong["done_on"] = _("This day has not come yet.")
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)
    if reminder.state == "dispatched":
        raise WrongState(_("A ticket was made for this visit. Finish the ticket; the plan follows."))
    if reminder.state != "due":
        raise WrongState(_("This visit is settled already. Load the list again."))
    _done(session, reminder, done_on, at if done_on == today else clock.midnight(done_on) + NOON, findings.strip(), by)
    _settled(session, reminder, "visit done", {"done_on": done_on}, by, at)


def skip(session: Session, reminder_id: int, reason: str, *, by: int, at: datetime) -> None:
    """This time nobody goes, for a reason; the plan goes on with the next date that is not behind us."""
    reminder = _reminder(session, reminder_id)
    if not reason.strip():
        raise Invalid(_("Say why nobody goes this time."), {"reason": _("Say why nobody goes this time.")})
    if reminder.state != "due":
        raise WrongState(_("This visit is settled already. Load the list again."))
    reminder.state, reminder.reason = "skipped", reason.strip()[:500]
    row = _locked(session, reminder.plan_id)
    _go_on(session, row, _timing(row).after(reminder.due_on, clock.local(at).date() - timedelta(days=1))[0])
    session.flush()
    _settled(session, reminder, "visit skipped", {"reason": reminder.reason}, by, at)


# ---- inside


def _done(session: Session, reminder: MaintenanceReminder, day: date, moment: datetime, findings: str, by: int) -> None:
    reminder.state, reminder.done_on, reminder.done_at, reminder.done_by_id = "done", day, moment, by
    reminder.findings = findings[:LONGEST_FINDINGS]
    row = _locked(session, reminder.plan_id)
    row.done_on = day
    following, reminder.passed = _timing(row).next_visit(reminder.due_on, day)
    _go_on(session, row, following)
    session.flush()


def _go_on(session: Session, row: MaintenancePlan, day: date) -> None:
    """The plan is due on that day, or on the first one after it for which there was no reminder yet."""
    had = set(session.scalars(select(MaintenanceReminder.due_on).where(MaintenanceReminder.plan_id == row.id, MaintenanceReminder.due_on >= day)))
    while day in had:
        day = _timing(row).following(day)
    row.next_due_on = day


def _drop(session: Session, row: MaintenancePlan, why: str) -> None:
    """Nobody waits for a visit of a plan that has ended."""
    open_ = MaintenanceReminder.plan_id == row.id, MaintenanceReminder.state == "due"
    for reminder in session.scalars(select(MaintenanceReminder).where(*open_).with_for_update()):
        reminder.state, reminder.reason = "skipped", why


def _timing(of: Plan | MaintenancePlan) -> Timing:
    return Timing(of.timing, of.every)


def _same_request(session: Session, request_key: str | None) -> int | None:
    """The plan of the same form, if it was sent before."""
    if not request_key:
        return None
    locks.hold(session, "plan request", request_key)
    return session.scalars(select(MaintenancePlan.id).where(MaintenancePlan.request_key == request_key)).first()


def _plain(new: Plan) -> dict[str, Any]:
    return asdict(new) | {"content": new.content.strip()}


def _locked(session: Session, plan_id: int) -> MaintenancePlan:
    row = db.locked(session, MaintenancePlan, plan_id)
    if row is None:
        raise NotFound(_("There is no such plan in your branches. Look for it in the list of plans."))
    return row


def _reminder(session: Session, reminder_id: int) -> MaintenanceReminder:
    """The visit, ours until the transaction ends, and before it its plan: whoever ends a plan takes both in this order too."""
    plan_id = session.scalars(select(MaintenanceReminder.plan_id).where(MaintenanceReminder.id == reminder_id)).first()
    if plan_id is not None:
        _locked(session, plan_id)
    row = session.get(MaintenanceReminder, reminder_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such visit in your branches. Load the list again."))
    return row


def _check(session: Session, new: Plan, branch_id: int) -> None:
    wrong: dict[str, str] = {}
    if not new.content.strip() or len(new.content) > LONGEST_CONTENT:
        wrong["content"] = _("Say what is to be done, in at most %(count)s letters.", count=LONGEST_CONTENT)
    if new.timing not in rules.TIMINGS:
        wrong["timing"] = _("Choose a day of the month or an interval.")
    longest = 31 if new.timing == rules.MONTHLY else rules.LONGEST
    if not 1 <= new.every <= longest:
        wrong["every"] = _("A number from 1 to %(most)s.", most=longest)
    if not 0 <= new.notice_days <= rules.MOST_NOTICE:
        wrong["notice_days"] = _("A number from 0 to %(most)s.", most=rules.MOST_NOTICE)
    if not date(2000, 1, 1) <= new.starts_on <= date(2100, 1, 1):
        wrong["starts_on"] = _("Choose a day of this century.")
    if new.responsible_id and new.responsible_id not in {p.id for p in staff.assignees(session, branch_id)}:
        wrong["responsible_id"] = _("Choose somebody who works on tickets of this branch.")
    if new.responsible_branch_id and new.responsible_branch_id not in staff.branches(session):
        wrong["responsible_branch_id"] = _("Choose one of the branches.")
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)


def _told(session: Session, row: MaintenancePlan, verb: str, old: dict[str, Any], new: dict[str, Any], by: int | None, at: datetime) -> None:
    audit.record(session, at=at, by=by, verb=verb, entity="maintenance_plan", entity_id=row.id, old=old or None, new=new, branch_id=row.branch_id)


def _settled(session: Session, row: MaintenanceReminder, verb: str, new: dict[str, Any], by: int, at: datetime) -> None:
    audit.record(session, at=at, by=by, verb=verb, entity="maintenance_reminder", entity_id=row.id, new=new, branch_id=row.branch_id)
    session.flush()
