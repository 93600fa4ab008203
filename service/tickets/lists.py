"""The list of tickets, and what is done with many of them at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, case, or_, select
from sqlalchemy.orm import Session

from service.core import lists
from service.core.identity import Identity
from service.core.lists import Action, Column, Empty, Filter, ListSpec
from service.parties import queries as parties
from service.staff import queries as staff
from service.tickets import actions, queries, rules
from service.tickets.model import Ticket
from service.tickets.queries import STATE

PRIORITY = {"urgent": _l("Urgent"), "normal": _l("Normal"), "low": _l("Low")}
TYPE = {
    "repair": _l("Repair"), "consultation": _l("Consultation"), "complaint": _l("Complaint"), "installation": _l("Installation"), "upkeep": _l("Upkeep"),
}  # fmt: skip

VIEWS = [("mine", _l("Assigned to me")), ("open", _l("All open")), *STATE.items(), ("all", _l("All tickets"))]
URGENCY = case({code: place for place, code in enumerate(rules.PRIORITIES)}, value=Ticket.priority, else_=9)


def _rows(_session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """The tickets of a view: of one state, or all that are open, or everything."""
    view, query = wanted.get("view", "open"), select(Ticket)
    if view in STATE:
        return query.where(Ticket.state == view)
    if view == "mine":
        query = query.where(Ticket.assignee_id == wanted["reader"].staff_id)
    return query if view == "all" else query.where(Ticket.state.in_(rules.OPEN))


def _labels(session: Session, rows: Sequence[Ticket], wanted: Mapping[str, Any]) -> lists.Labels:
    return {
        "parties": parties.names(session, {row.party_id for row in rows} | ({wanted["party"]} if "party" in wanted else set())),
        "people": staff.names(session, {row.assignee_id for row in rows if row.assignee_id} | ({wanted["assignee"]} if "assignee" in wanted else set())),
        "branches": staff.branch_names(session),
    }


def _typed(words: str) -> ColumnElement[bool]:
    return or_(Ticket.number.contains(words, autoescape=True), Ticket.subject.icontains(words, autoescape=True))


def _assign(session: Session, ticket_id: int, staff_id: str, by: Identity, at: datetime) -> None:
    actions.assign(session, ticket_id, int(staff_id), by=by.staff_id, at=at)


def _assignees(session: Session) -> list[tuple[Any, Any]]:
    return [(one.id, one.name) for one in staff.assignees(session)]


def _holders(session: Session) -> list[tuple[Any, Any]]:
    """Those who may have tickets, and behind them those who had some and may not any more."""
    able = dict(_assignees(session))
    rest = {key: name for key, name in staff.names(session).items() if key not in able}
    return [*able.items(), *((key, rest[key]) for key in sorted(queries.holders(session, rest), key=lambda key: rest[key]))]


TICKETS = lists.know(
    ListSpec(
        name="tickets",
        title=_l("Tickets"),
        address="/tickets",
        permission="ticket.read",
        rows=_rows,
        key=Ticket.id,
        link=lambda ticket: f"/tickets/{ticket.id}",
        labels=_labels,
        cells="tickets/cells.html",
        columns=(
            Column("number", _l("No."), lambda t, _told: t.number, "ref", Ticket.id, width=156),
            Column("priority", _l("Priority"), lambda t, _told: str(PRIORITY.get(t.priority, t.priority)), "state", URGENCY, width=94),
            Column("left", _l("Time left"), lambda t, _told: t.resolve_due_at, "moment", Ticket.resolve_due_at, width=148),
            Column("subject", _l("Subject"), lambda t, _told: t.subject, width=0, card="title"),
            Column("party", _l("Customer"), lambda t, told: told.name("parties", t.party_id), width=208, card="quiet"),
            Column("state", _l("State"), lambda t, _told: str(STATE.get(t.state, t.state)), "state", width=108),
            Column("assignee", _l("Assignee"), lambda t, told: told.name("people", t.assignee_id), width=116, card="quiet"),
            Column("branch", _l("Branch"), lambda t, told: told.name("branches", t.branch_id), width=132, shown=False, card="quiet", across=True),
            Column("type", _l("Type"), lambda t, _told: str(TYPE.get(t.type, t.type)), width=96, shown=False, card="quiet"),
            Column("registered", _l("Registered"), lambda t, _told: t.registered_at, "moment", Ticket.registered_at, width=132, shown=False, card="labelled"),
            Column("due", _l("Due"), lambda t, _told: t.resolve_due_at, "moment", Ticket.resolve_due_at, width=132, shown=False, card="labelled"),
            Column("finished", _l("Finished"), lambda t, _told: t.finished_at, "moment", Ticket.finished_at, True, 132, False, "labelled"),
        ),
        filters=(
            Filter("view", _l("View"), "choice", options=lambda _session: VIEWS, form=False, chip=False),
            Filter("party", _l("Customer"), "number", lambda party: Ticket.party_id == party, form=False, names="parties"),
            Filter("q", _l("Contains"), clause=_typed, placeholder=_l("Number or words of the subject")),
            Filter("priority", _l("Priority"), "choice", lambda code: Ticket.priority == code, lambda _session: list(PRIORITY.items())),
            Filter("type", _l("Type"), "choice", lambda code: Ticket.type == code, lambda _session: list(TYPE.items())),
            Filter("assignee", _l("Assignee"), "choice", lambda who: Ticket.assignee_id == int(who), _holders),
            Filter("branch", _l("Branch"), "choice", lambda key: Ticket.branch_id == int(key), staff.branch_choices, more=True, across=True),
            *lists.days("registered", _l("Registered"), Ticket.registered_at, more=True),
        ),
        sort="-number",
        empty=Empty("ticket", _l("No ticket yet"), _l("Tickets come from calls at the desk, or from the button at the top right."), permission="ticket.write"),
        everything=(("view", "all"),),
        actions=(Action("assign", _l("Assign"), "user-plus", rules.MOVES["assign"].permission, _assign, _assignees, _l("To whom")),),
    )
)
