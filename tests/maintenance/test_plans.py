"""Plans bring reminders once, reminders become tickets, and what was found sets the next date."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from service.core.editing import Stale
from service.core.errors import Invalid, NotFound
from service.devices import actions as devices
from service.devices.effects import on_leaving
from service.devices.schemas import Holder, Retirement
from service.maintenance import actions, queries
from service.maintenance.lists import VISITS
from service.maintenance.model import MaintenancePlan, MaintenanceReminder
from service.maintenance.schemas import Plan
from service.tickets import actions as tickets
from service.tickets.effects import on_finish
from service.tickets.model import Ticket
from tests import make

MARCH = datetime(2027, 3, 2, 1, 0, tzinfo=UTC)


def day(month: int, number: int) -> datetime:
    return datetime(2027, month, number, 1, 0, tzinfo=UTC)


@pytest.fixture
def firm(session: Session, cast: SimpleNamespace) -> SimpleNamespace:
    on_finish(actions.ticket_finished)
    cast.party = make.party(session, cast.pudong)
    cast.device = make.device(session, cast.party)
    return cast


def plan(session: Session, firm: SimpleNamespace, timing: str, every: int, **more: object) -> MaintenancePlan:
    new = Plan(**{"content": "清洁打印头，检查走纸", "timing": timing, "every": every, "starts_on": date(2027, 3, 2), "notice_days": 2} | more)  # type: ignore[arg-type]
    return session.get_one(MaintenancePlan, actions.plan(session, firm.device.id, new, by=firm.cleo.id, at=MARCH))


def reminders(session: Session, of: MaintenancePlan) -> list[MaintenanceReminder]:
    return list(session.scalars(select(MaintenanceReminder).where(MaintenanceReminder.plan_id == of.id).order_by(MaintenanceReminder.due_on)))


def finish(session: Session, ticket_id: int, firm: SimpleNamespace, words: str, at: datetime) -> None:
    ticket = session.get_one(Ticket, ticket_id)
    if ticket.assignee_id is None:
        tickets.assign(session, ticket_id, firm.wang.id, by=firm.cleo.id, at=at)
    tickets.accept(session, ticket_id, by=firm.wang.id, at=at)
    tickets.start(session, ticket_id, by=firm.wang.id, at=at)
    tickets.finish(session, ticket_id, words, by=firm.wang.id, at=at)


def test_three_plans_know_their_next_dates(session: Session, firm: SimpleNamespace) -> None:
    dates = [plan(session, firm, *timing).next_due_on for timing in (("monthly", 15), ("interval", 30), ("monthly", 31))]
    assert dates == [date(2027, 3, 15), date(2027, 4, 1), date(2027, 3, 31)]


def test_a_reminder_comes_once_however_often_the_job_runs(session: Session, firm: SimpleNamespace) -> None:
    first = plan(session, firm, "monthly", 15)
    plan(session, firm, "monthly", 31)
    assert actions.remind(session, at=day(3, 12)) == 0
    assert [actions.remind(session, at=day(3, 13)) for _run in range(2)] == [1, 0]
    assert [r.due_on for r in reminders(session, first)] == [date(2027, 3, 15)]


def test_a_job_that_was_off_catches_up_once(session: Session, firm: SimpleNamespace) -> None:
    made = [plan(session, firm, "monthly", number) for number in (14, 15, 16)]
    assert actions.remind(session, at=day(3, 17)) == 3
    assert actions.remind(session, at=day(3, 18)) == 0
    assert [len(reminders(session, one)) for one in made] == [1, 1, 1]


def test_many_are_dispatched_together_and_each_has_one_ticket(session: Session, firm: SimpleNamespace) -> None:
    made = [plan(session, firm, "monthly", 15, responsible_id=firm.wang.id) for _ in range(3)]
    actions.remind(session, at=day(3, 13))
    ids = [r.id for one in made for r in reminders(session, one)]
    tickets_made, again = ([actions.dispatch(session, one, by=firm.cleo.id, at=day(3, 13)) for one in ids] for _run in range(2))
    assert again == tickets_made and len(set(tickets_made)) == 3
    ticket = session.get_one(Ticket, tickets_made[0])
    assert (ticket.type, ticket.state, ticket.assignee_id, ticket.device_id) == ("upkeep", "assigned", firm.wang.id, firm.device.id)


def test_a_settled_visit_becomes_no_ticket(session: Session, firm: SimpleNamespace) -> None:
    first = plan(session, firm, "monthly", 15)
    actions.remind(session, at=day(3, 13))
    skipped = reminders(session, first)[0].id
    actions.skip(session, skipped, "客户停业", by=firm.cleo.id, at=day(3, 13))
    with pytest.raises(actions.WrongState):
        actions.dispatch(session, skipped, by=firm.cleo.id, at=day(3, 13))
    with pytest.raises(NotFound):
        actions.dispatch(session, 999_999, by=firm.cleo.id, at=day(3, 13))


def test_the_finished_ticket_tells_the_plan_what_was_found(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    actions.remind(session, at=day(3, 13))
    reminder = reminders(session, monthly)[0]
    sent = actions.dispatch(session, reminder.id, by=firm.cleo.id, at=day(3, 13))
    finish(session, sent, firm, "更换皮带，其余正常", day(3, 14))
    assert (reminder.state, reminder.done_on, reminder.findings) == ("done", date(2027, 3, 14), "更换皮带，其余正常")
    assert monthly.next_due_on == date(2027, 4, 15)
    assert queries.last_visits(session, [firm.device.id])[firm.device.id].findings == "更换皮带，其余正常"
    assert actions.remind(session, at=day(3, 15)) == 0
    assert actions.remind(session, at=day(4, 13)) == 1


def test_another_ticket_moves_no_plan(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    other = make.ticket(session, firm.party, firm.ada, MARCH, device_id=firm.device.id)
    finish(session, other.id, firm, "好了", day(3, 14))
    assert monthly.done_on is None and monthly.next_due_on == date(2027, 3, 15)


def test_a_visit_without_a_ticket_and_one_that_nobody_makes(session: Session, firm: SimpleNamespace) -> None:
    monthly, interval = plan(session, firm, "monthly", 31), plan(session, firm, "interval", 10)
    actions.remind(session, at=day(3, 30))
    mine, other = reminders(session, monthly)[0], reminders(session, interval)[0]
    actions.complete(session, mine.id, "正常", done_on=date(2027, 3, 30), by=firm.wang.id, at=day(3, 30))
    actions.skip(session, other.id, "门店装修", by=firm.cleo.id, at=day(3, 30))
    assert (monthly.next_due_on, interval.next_due_on) == (date(2027, 4, 30), date(2027, 4, 1))
    assert (other.state, other.reason) == ("skipped", "门店装修")


def test_a_plan_that_rests_reminds_nobody_and_goes_on_ahead(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    actions.set_state(session, monthly.id, "paused", by=firm.cleo.id, at=MARCH)
    assert actions.remind(session, at=day(5, 1)) == 0
    actions.set_state(session, monthly.id, "active", by=firm.cleo.id, at=day(5, 20))
    assert monthly.next_due_on == date(2027, 6, 15)


def test_an_ended_plan_leaves_no_visit_open_and_stays_ended(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    actions.remind(session, at=day(3, 13))
    actions.set_state(session, monthly.id, "ended", by=firm.cleo.id, at=day(3, 13))
    assert [r.state for r in reminders(session, monthly)] == ["skipped"]
    with pytest.raises(actions.WrongState):
        actions.set_state(session, monthly.id, "active", by=firm.cleo.id, at=day(3, 13))


def test_two_who_change_one_plan_notice_each_other(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    seen = monthly.version
    new = Plan("清洁", "monthly", 20, date(2027, 3, 2), 2)
    actions.change(session, monthly.id, new, version=seen, by=firm.cleo.id, at=MARCH)
    assert monthly.next_due_on == date(2027, 3, 20)
    with pytest.raises(Stale):
        actions.change(session, monthly.id, new, version=seen, by=firm.root.id, at=MARCH)


def test_a_changed_rhythm_never_meets_a_date_that_was_settled(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    actions.remind(session, at=day(3, 13))
    actions.skip(session, reminders(session, monthly)[0].id, "客户停业", by=firm.cleo.id, at=day(3, 13))
    for every in (16, 15):
        actions.change(session, monthly.id, Plan("清洁", "monthly", every, date(2027, 3, 2), 2), version=monthly.version, by=firm.cleo.id, at=day(3, 13))
    assert monthly.next_due_on == date(2027, 4, 15)
    assert actions.remind(session, at=day(4, 13)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("content", " "), ("content", "长" * 501), ("every", 0), ("every", 32), ("notice_days", 91), ("starts_on", date(1999, 1, 1)),
     ("timing", "weekly"), ("responsible_id", 999_999), ("responsible_branch_id", 999_999)],
)
def test_a_plan_that_cannot_be_is_refused_by_its_field(session: Session, firm: SimpleNamespace, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        plan(session, firm, **{"timing": "monthly", "every": 15} | {field: value})  # type: ignore[arg-type]
    assert field in refused.value.fields


def test_a_visit_cannot_be_made_tomorrow_or_without_words(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    actions.remind(session, at=day(3, 13))
    reminder = reminders(session, monthly)[0]
    with pytest.raises(Invalid) as refused:
        actions.complete(session, reminder.id, " ", done_on=date(2027, 3, 14), by=firm.wang.id, at=day(3, 13))
    assert set(refused.value.fields) == {"findings", "done_on"}
    with pytest.raises(NotFound):
        actions.skip(session, 999_999, "x", by=firm.wang.id, at=day(3, 13))


def test_the_same_form_twice_is_one_plan_and_another_form_another(session: Session, firm: SimpleNamespace) -> None:
    new = Plan("清洁", "monthly", 15, date(2027, 3, 2), 2)
    later = MARCH + timedelta(hours=1)
    one, again = (actions.plan(session, firm.device.id, new, by=firm.cleo.id, at=at, request_key="k1") for at in (MARCH, later))
    other = actions.plan(session, firm.device.id, new, by=firm.cleo.id, at=MARCH, request_key="k2")
    assert one == again != other


def test_a_plan_that_begins_later_is_due_later(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    actions.remind(session, at=day(3, 13))
    actions.complete(session, reminders(session, monthly)[0].id, "正常", done_on=date(2027, 3, 13), by=firm.wang.id, at=day(3, 13))
    actions.change(session, monthly.id, Plan("清洁", "monthly", 15, date(2027, 9, 1), 2), version=monthly.version, by=firm.cleo.id, at=day(3, 14))
    assert monthly.next_due_on == date(2027, 9, 15)


def test_a_plan_goes_on_today_when_today_is_its_day(session: Session, firm: SimpleNamespace) -> None:
    monthly = plan(session, firm, "monthly", 15)
    actions.set_state(session, monthly.id, "paused", by=firm.cleo.id, at=MARCH)
    actions.set_state(session, monthly.id, "active", by=firm.cleo.id, at=day(5, 15))
    assert monthly.next_due_on == date(2027, 5, 15)


def test_nobody_is_sent_to_a_retired_device_until_it_comes_back(session: Session, firm: SimpleNamespace) -> None:
    shown = lambda: [row.number for row in session.execute(VISITS.rows(session, {}))]  # noqa: E731
    old, young = plan(session, firm, "monthly", 15), plan(session, firm, "monthly", 20)
    actions.remind(session, at=day(3, 13))
    retire = {"version": firm.device.version, "by": firm.ada.id, "at": day(3, 14)}
    devices.retire(session, firm.device.id, Retirement("坏", date(2027, 3, 14)), **retire)
    assert (actions.remind(session, at=day(3, 20)), shown()) == (0, [])
    with pytest.raises(Invalid, match="retired"):
        actions.dispatch(session, reminders(session, old)[0].id, by=firm.cleo.id, at=day(3, 20))

    devices.bring_back(session, firm.device.id, "修好", version=firm.device.version, by=firm.ada.id, at=day(3, 21))
    assert (actions.remind(session, at=day(3, 21)), shown()) == (1, [old.number, young.number])


def test_the_plans_of_a_device_that_leaves_the_branch_end(session: Session, firm: SimpleNamespace) -> None:
    on_leaving(actions.device_left)
    waiting, sent = plan(session, firm, "monthly", 15), plan(session, firm, "monthly", 15)
    actions.remind(session, at=day(3, 13))
    ticket = actions.dispatch(session, reminders(session, sent)[0].id, by=firm.cleo.id, at=day(3, 13))
    other = make.party(session, firm.suzhou, "苏州客户")
    devices.move(session, firm.device.id, Holder(other.id), "转让", version=firm.device.version, by=firm.ada.id, at=day(3, 14))

    assert [one.state for one in (waiting, sent)] == ["ended", "ended"]
    assert [(r.state, r.reason) for r in reminders(session, waiting)] == [("skipped", "The device went to another branch.")]
    finish(session, ticket, firm, "正常", day(3, 16))
    assert [r.state for r in reminders(session, sent)] == ["done"] and actions.remind(session, at=day(12, 30)) == 0


def test_to_let_an_active_plan_go_on_changes_nothing(session: Session, firm: SimpleNamespace) -> None:
    daily = plan(session, firm, "interval", 1)
    actions.set_state(session, daily.id, "active", by=firm.cleo.id, at=day(4, 1))
    assert daily.next_due_on == date(2027, 3, 3)


def test_one_skip_ends_a_whole_gap(session: Session, firm: SimpleNamespace) -> None:
    daily = plan(session, firm, "interval", 1)
    actions.remind(session, at=MARCH)
    actions.skip(session, reminders(session, daily)[0].id, "春节停业", by=firm.cleo.id, at=day(3, 20))
    assert daily.next_due_on == date(2027, 3, 20)


def test_a_plan_is_locked_before_its_visits(session: Session, firm: SimpleNamespace) -> None:
    """Whoever ends a plan takes the plan first; in the other order two people would wait for each other."""
    monthly = plan(session, firm, "interval", 1)
    actions.remind(session, at=MARCH)
    visit, locked = reminders(session, monthly)[0], []

    def heard(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FOR UPDATE" in statement:
            locked.append(statement.split("FROM ")[1].split(maxsplit=1)[0])

    event.listen(session.get_bind(), "before_cursor_execute", heard)
    try:
        actions.complete(session, visit.id, "一切正常", done_on=MARCH.date(), by=firm.cleo.id, at=MARCH)
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", heard)
    assert locked[:2] == ["maintenance_plan", "maintenance_reminder"]
