"""Who may have a ticket, and what a form sent four times at once leaves behind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import db, scope
from service.core.errors import Invalid
from service.staff import actions as staff
from service.staff.model import ExtensionAssignment, Role
from service.tickets import actions as tickets
from service.tickets.model import Ticket, TicketEvent
from service.tickets.schemas import NewTicket
from tests import make
from tests.conftest import AT


def test_a_ticket_goes_to_those_only_who_see_its_branch(session: Session, cast: SimpleNamespace) -> None:
    ticket = make.ticket(session, make.party(session, cast.pudong), cast.ada, AT)

    with pytest.raises(Invalid, match="of this branch"):
        tickets.assign(session, ticket.id, cast.dan.id, by=cast.cleo.id, at=AT)
    assert (ticket.state, ticket.assignee_id) == ("registered", None)


def test_who_accepts_has_it(session: Session, cast: SimpleNamespace) -> None:
    ticket = make.ticket(session, make.party(session, cast.pudong), cast.ada, AT)
    tickets.assign(session, ticket.id, cast.wang.id, by=cast.cleo.id, at=AT)

    tickets.accept(session, ticket.id, by=cast.ben.id, at=AT)

    assert ticket.assignee_id == cast.ben.id
    lines = session.execute(select(TicketEvent.old, TicketEvent.new).where(TicketEvent.field == "assignee").order_by(TicketEvent.id))
    assert lines.all() == [(None, str(cast.wang.id)), (str(cast.wang.id), str(cast.ben.id))]


def test_a_contact_of_another_customer_is_refused(session: Session, cast: SimpleNamespace) -> None:
    ours, theirs = make.party(session, cast.pudong), make.party(session, cast.suzhou)
    foreign = make.contact(session, theirs)

    with pytest.raises(Invalid, match="contact belongs to another customer"):
        tickets.register(session, NewTicket(ours.id, "坏了", "normal", contact_id=foreign.id), by=cast.ada.id, at=AT)


def at_once(times: int, act: Callable[[Session], Any]) -> list[Any]:
    """The same deed in as many transactions, all begun before the first ends."""
    ready = Barrier(times)

    def one(_number: int) -> Any:
        with db.begin(scope.ALL) as work:
            ready.wait(10)
            return act(work)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_a_form_sent_four_times_at_once_is_one_ticket(committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        party = make.party(work, committed_cast.pudong).id
    new = NewTicket(party, "打印机卡纸", "normal", request_key="same-form")

    found = at_once(4, lambda work: tickets.register(work, new, by=committed_cast.ada.id, at=AT))

    with db.begin(scope.ALL) as work:
        assert list(work.scalars(select(Ticket.id))) == [found[0]] and len(set(found)) == 1


def test_a_seat_taken_four_times_at_once_is_taken_once(committed_cast: SimpleNamespace) -> None:
    ada = committed_cast.ada.id
    at_once(4, lambda work: staff.take_seat(work, ada, "pbx1", "1009", by=ada, at=AT))

    with db.begin(scope.ALL) as work:
        now = select(ExtensionAssignment.extension).where(ExtensionAssignment.staff_id == ada, ExtensionAssignment.valid_to.is_(None))
        assert list(work.scalars(now)) == ["1009"]


def test_a_person_is_hired_into_a_role_and_a_branch(session: Session, cast: SimpleNamespace) -> None:
    person = staff.hire(session, "Li", "李", "a-long-password", role="technician", branch="SZ", at=AT)

    hired = session.get_one(staff.Staff, person)
    assert (hired.username, hired.branch_id, hired.reach, [r.name for r in hired.roles]) == ("li", cast.suzhou.id, "branch", ["technician"])
    assert len(set(session.scalars(select(Role.name)))) == len(staff.rules.PERMISSIONS)
    for wrong in ({"role": "king"}, {"role": "agent", "branch": "XX"}):
        with pytest.raises(Invalid, match="There is no"):
            staff.hire(session, "wu", "吴", "a-long-password", at=AT, **wrong)
