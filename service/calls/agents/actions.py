"""Agents sign in, choose, talk, write things down and leave; each move is a row of history and news for who looks on."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls.agents import rules
from service.calls.agents.model import AgentQueue, AgentState, AgentStateChange, QueueMember
from service.calls.agents.rules import Agent
from service.calls.orders import actions as orders
from service.calls.orders import rules as order_rules
from service.calls.schemas import MemberNews, PhoneState
from service.core import audit, live
from service.core.errors import DeskError, Invalid
from service.staff import actions as staff
from service.staff import queries as people

FLOOR = "floor"  # the topic of who watches the floor
RETRY = timedelta(seconds=30)  # a phone whose queues show something else is put right at most so often
REFUSED = timedelta(minutes=10)  # so often a queue that refused a phone is asked again
LOST = ("", "too-late", "no-actor", "cut", "not-heard")  # an order that never reached the queue, or that it has forgotten
FIELDS = ("chosen", "reason", "phase", "customer", "call_key", "acw_until", "state", "since")


class NoSeat(DeskError):
    """Whoever sits nowhere has no state."""


def sign_in(session: Session, staff_id: int, switch: str, extension: str, *, by: int, at: datetime) -> None:
    """The person sits at that phone, is ready, and is on the way into the queues set for them; whoever sat there is offline."""
    if not order_rules.EXTENSION.match(extension):
        raise Invalid(_("Type the number of the phone in front of you."), {"extension": _("Digits only.")})
    _vacate(session, switch, extension, but=staff_id, by=by, at=at)
    held = _row(session, staff_id)
    if held is not None and (held.switch, held.extension) != (switch, extension):
        _leave_queues(session, held, by=by, at=at)
    if people.extension_of(session, staff_id, at) != (switch, extension):
        staff.take_seat(session, staff_id, switch, extension, by=by, at=at)
    row = _seated(session, staff_id, switch, extension, at)
    _put(session, row, rules.chose(_agent(row), "ready", at), by=by, at=at)
    _join_queues(session, row, by=by, at=at)


def choose(
    session: Session, staff_id: int, what: str, *, reason: str = "", reasons: Sequence[str] = (), by: int, at: datetime
) -> None:
    """The agent wants to be ready or to pause from now on; a call that goes on is not disturbed."""
    if what not in ("ready", "pause"):
        raise Invalid(_("Choose ready or a pause."))
    if what == "pause" and not rules.good_reason(reason, reasons):
        raise Invalid(_("Choose one of the firm's reasons for a pause."))
    row = _needed(session, staff_id)
    if row.chosen == "offline":
        raise NoSeat(_("Take a seat first: type the number of the phone."))
    _put(session, row, rules.chose(_agent(row), what, at, reason=reason), by=by, at=at)


def extend(session: Session, staff_id: int, *, by: int, at: datetime) -> None:
    """There is a minute more for writing things down."""
    row = _needed(session, staff_id)
    if row.state != "acw":
        raise DeskError(_("There is no after-call work to extend. Choose a pause instead."))
    _put(session, row, rules.extended(_agent(row), at), by=by, at=at)


def sign_out(session: Session, staff_id: int, *, by: int, at: datetime) -> None:
    """The seat is free and the queues ring there no longer; who talks themselves hangs up first."""
    row = _needed(session, staff_id)
    if by == staff_id and row.phase in rules.ON_CALL:
        raise DeskError(_("A call is at your phone. Hang up first, then sign out."))
    _leave_queues(session, row, by=by, at=at)
    _put(session, row, rules.left(_agent(row), at), by=by, at=at)
    staff.leave_seat(session, staff_id, by=by, at=at)


def force(
    session: Session, staff_id: int, what: str, *, reason: str = "", reasons: Sequence[str] = (), by: int, at: datetime
) -> None:
    """A supervisor put the agent into this state; who did it is on record."""
    row = _needed(session, staff_id)
    before = row.state
    if what == "offline":
        sign_out(session, staff_id, by=by, at=at)
    else:
        choose(session, staff_id, what, reason=reason, reasons=reasons, by=by, at=at)
    told = {"state": what, "reason": reason}
    audit.record(
        session, at=at, by=by, verb="set agent", entity="staff", entity_id=staff_id, old={"state": before}, new=told, branch_id=row.branch_id
    )


def serve(session: Session, staff_id: int, switch: str, queues: Sequence[str], *, by: int, at: datetime) -> None:
    """These are the queues that the person serves at this switch; who is signed in enters and leaves them now."""
    if not all(order_rules.QUEUE.match(queue) for queue in queues):
        raise Invalid(_("A queue is named as the switch names it, with letters, digits, - and _."))
    had = set(session.scalars(select(AgentQueue.queue).where(AgentQueue.staff_id == staff_id, AgentQueue.switch == switch)))
    branch_id = people.branch_of(session, staff_id)
    gone = AgentQueue.queue.in_(had - set(queues))
    session.execute(delete(AgentQueue).where(AgentQueue.staff_id == staff_id, AgentQueue.switch == switch, gone))
    new = [{"staff_id": staff_id, "switch": switch, "queue": queue, "branch_id": branch_id} for queue in sorted(set(queues) - had)]
    if new:
        session.execute(insert(AgentQueue).on_conflict_do_nothing(), new)  # a double click sets them once
    told = {"switch": switch, "queues": ", ".join(sorted(queues))}
    audit.record(session, at=at, by=by, verb="set queues", entity="staff", entity_id=staff_id, new=told, branch_id=branch_id)
    session.flush()
    row = _row(session, staff_id)
    if row is not None and row.chosen != "offline" and row.switch == switch:
        _leave_queues(session, row, by=by, at=at, only=had - set(queues))
        _join_queues(session, row, by=by, at=at)


# ---- what the ear tells


def phones_did(session: Session, switch: str, news: Sequence[PhoneState], *, acw: timedelta) -> bool:
    """Each phone's agent is in the state that follows; True when anybody's changed. A phone where nobody sits is passed over."""
    earliest = min((one.at for one in news), default=None)
    if earliest is None:
        return False
    seats = people.seatings(session, {(switch, one.extension) for one in news}, since=earliest)
    rows = _rows(session, {seat.staff_id for one in news if (seat := seats.at(switch, one.extension, one.at))})
    moved: dict[int, AgentState] = {}
    for one in news:
        seat = seats.at(switch, one.extension, one.at)
        row = rows.get(seat.staff_id) if seat else None
        if seat is None or (row is not None and row.chosen != "offline" and (row.switch, row.extension) != (switch, one.extension)):
            continue  # nobody's phone, or it is on its way to its next person
        if row is None or (row.switch, row.extension) != (switch, one.extension):
            row = rows[seat.staff_id] = _seated(session, seat.staff_id, switch, one.extension, one.at)
        agent = rules.phone(_agent(row), one.phase, one.at, acw=acw, customer=one.customer, call_key=one.call_key)
        if _set(session, row, agent, by=None, at=one.at):
            moved[row.staff_id] = row
    for row in moved.values():  # of many moves at once a browser hears where they led
        live.publish(session, live.topic_of(row.staff_id), "agent", told(row), at=news[-1].at)
    session.flush()
    return bool(moved)


def phones_are(session: Session, switch: str, busy: Iterable[str], *, at: datetime, acw: timedelta) -> bool:
    """After a snapshot: phones other than these do nothing, whatever was last heard of them."""
    rows = session.scalars(
        select(AgentState).where(AgentState.switch == switch, AgentState.phase != "idle", AgentState.extension.not_in(list(busy)))
    ).all()
    return phones_did(session, switch, [PhoneState(row.extension, "idle", at) for row in rows], acw=acw)


def members_did(session: Session, switch: str, news: Sequence[MemberNews], *, at: datetime) -> bool:
    """The queues' members are as the switch told; agents know whether their queues leave them alone."""
    seats = people.seatings(session, {(switch, one.extension) for one in news}, since=at)
    last = {(one.queue, one.interface): one for one in news}
    gone = [name for name, one in last.items() if one.gone]
    if gone:
        named = tuple_(QueueMember.queue, QueueMember.interface).in_(gone)
        session.execute(delete(QueueMember).where(QueueMember.switch == switch, named))
    home = people.headquarters(session)
    rows = []
    for one in last.values():
        seat = seats.at(switch, one.extension, at)
        branch_id = seat.branch_id if seat else home
        if not one.gone:
            rows.append(vars(one) | {"switch": switch, "heard_at": at, "branch_id": branch_id})
    if rows:
        added = insert(QueueMember)
        kept = {name: added.excluded[name] for name in ("extension", "status", "paused", "reason", "dynamic", "heard_at", "branch_id")}
        values = [{name: value for name, value in row.items() if name != "gone"} for row in rows]
        session.execute(added.on_conflict_do_update(index_elements=["switch", "queue", "interface"], set_=kept), values)
    return bool(session.execute(_SUMMED, {"switch": switch, "extensions": sorted({one.extension for one in news}), "at": at}).all())


_SUMMED = text("""
    update agent_state agent set is_paused = told.paused, paused_reason = told.reason, device = told.status,
        queues = told.queues, heard_at = :at
    from (select a.id, bool_and(m.paused) as paused, coalesce(max(m.reason) filter (where m.paused), '') as reason,
                 max(m.status) as status, count(m.id) as queues
          from agent_state a left join queue_member m on m.switch = a.switch and m.extension = a.extension
          where a.switch = :switch and a.extension = any(:extensions) group by a.id) told
    where agent.id = told.id
    returning agent.id
""")


def tend(session: Session, switch: str, *, at: datetime, act: bool) -> bool:
    """After-call work that has run out is over; a phone that its queues lack, or show otherwise than its agent wants, is put right."""
    changed = False
    for row in session.scalars(select(AgentState).where(AgentState.switch == switch, AgentState.acw_until <= at).with_for_update()):
        changed |= _put(session, row, rules.ran_out(_agent(row), at), by=None, at=at)
    if act:
        for row in session.scalars(select(AgentState).where(AgentState.switch == switch, *_DIFFERS)):
            changed |= _align(session, row, at)
        for row in session.scalars(select(AgentState).where(AgentState.switch == switch, *_OUTSIDE)):
            changed |= _rejoin(session, row, at)
    return changed


_DIFFERS = (
    AgentState.is_paused.is_not(None),
    AgentState.is_paused.is_distinct_from(AgentState.wants_paused)
    | (AgentState.wants_paused & (AgentState.paused_reason != AgentState.wants_reason)),
)


# Whose phone is not in a queue that they serve: the order was lost, or the switch has forgotten it.
_OUTSIDE = (
    AgentState.chosen != "offline",
    exists().where(
        AgentQueue.staff_id == AgentState.staff_id,
        AgentQueue.switch == AgentState.switch,
        ~exists().where(
            QueueMember.switch == AgentState.switch, QueueMember.extension == AgentState.extension, QueueMember.queue == AgentQueue.queue
        ),
    ),
)


def _rejoin(session: Session, row: AgentState, at: datetime) -> bool:
    """They are on the way into their queues again; a queue that refused them is asked only now and then."""
    last = orders.last(session, row.staff_id, ("queue_add",))
    wait = RETRY if last is None or last.error in LOST else REFUSED
    if last is not None and at - last.requested_at < wait:
        return False
    _join_queues(session, row, by=None, at=at)
    return True


def _align(session: Session, row: AgentState, at: datetime) -> bool:
    """An order to pause or not is on its way, unless the same one went out a moment ago."""
    kind, args = ("pause", {"reason": row.wants_reason}) if row.wants_paused else ("unpause", {})
    last = orders.last(session, row.staff_id, ("pause", "unpause"))
    if last is not None and (last.kind, last.args) == (kind, args) and at - last.requested_at < RETRY:
        return False
    orders.ask(session, kind, row.staff_id, row.switch, row.extension, args, by=None, at=at)
    return True


def send_home(session: Session, *, at: datetime) -> int:
    """Who has signed out of their last browser sits nowhere any more; returns how many. A call that goes on is let end."""
    rows = session.scalars(select(AgentState).where(AgentState.chosen != "offline", AgentState.phase == "idle")).all()
    ids = {row.staff_id for row in rows}
    left, seated = people.left_at(session, ids), people.seated_at(session, ids)
    absent = [row for row in rows if row.staff_id in left and row.staff_id in seated and left[row.staff_id] >= seated[row.staff_id]]
    for row in absent:
        sign_out(session, row.staff_id, by=row.staff_id, at=at)
    if absent:
        watched(session, at=at)
    return len(absent)


def watched(session: Session, *, at: datetime) -> None:
    """Who watches the floor is told to look again."""
    live.publish(session, FLOOR, "floor", {}, at=at)


# ---- inside


def _row(session: Session, staff_id: int) -> AgentState | None:
    return session.scalars(select(AgentState).where(AgentState.staff_id == staff_id).with_for_update()).first()


def _rows(session: Session, ids: set[int]) -> dict[int, AgentState]:
    """These people's rows, locked in order so that two batches never wait for each other."""
    wanted = select(AgentState).where(AgentState.staff_id.in_(ids)).order_by(AgentState.id).with_for_update()
    return {row.staff_id: row for row in session.scalars(wanted)} if ids else {}


def _needed(session: Session, staff_id: int) -> AgentState:
    row = _row(session, staff_id)
    if row is None:
        raise NoSeat(_("Take a seat first: type the number of the phone."))
    return row


def _seated(session: Session, staff_id: int, switch: str, extension: str, at: datetime) -> AgentState:
    """The person's row, at this phone; what another phone did is forgotten."""
    row = _row(session, staff_id)
    if row is None:
        row = AgentState(staff_id=staff_id, chosen="offline", state="offline", since=at, branch_id=people.branch_of(session, staff_id),
                         reason="", phase="idle", customer=False, paused_reason="", queues=0, wants_reason="", wants_paused=True)
        session.add(row)
    if (row.switch, row.extension) != (switch, extension):
        row.switch, row.extension, row.phase, row.customer, row.call_key, row.acw_until = switch, extension, "idle", False, None, None
        row.is_paused, row.paused_reason, row.queues, row.device = None, "", 0, None
    session.flush()
    session.execute(_SUMMED, {"switch": switch, "extensions": [extension], "at": at})
    session.refresh(row)
    return row


def _agent(row: AgentState) -> Agent:
    return Agent(**{name: getattr(row, name) for name in FIELDS})


def _put(session: Session, row: AgentState, agent: Agent, *, by: int | None, at: datetime) -> bool:
    """The row says what the agent is now, and the agent's browsers hear it; False when nothing is new."""
    if not _set(session, row, agent, by=by, at=at):
        return False
    live.publish(session, live.topic_of(row.staff_id), "agent", told(row), at=at)
    session.flush()
    return True


def _set(session: Session, row: AgentState, agent: Agent, *, by: int | None, at: datetime) -> bool:
    """The row says what the agent is now; a new state, or a new reason for it, is history."""
    before = _agent(row)
    if agent == before:
        return False
    for name in FIELDS:
        setattr(row, name, getattr(agent, name))
    row.wants_paused, row.wants_reason = rules.wanted(agent)
    if (before.state, rules.reason_of(before)) != (agent.state, rules.reason_of(agent)):
        session.add(
            AgentStateChange(
                staff_id=row.staff_id, at=agent.since or at, old=before.state, new=agent.state, reason=rules.reason_of(agent),
                by_id=by, extension=row.extension, switch=row.switch, call_key=agent.call_key, branch_id=row.branch_id,
            )
        )
    return True


def told(row: AgentState) -> dict[str, object]:
    """What a person's own browsers hear of their state."""
    return {
        "state": row.state,
        "reason": row.reason if row.state == "pause" else "",
        "chosen": row.chosen,
        "since": row.since.isoformat(),
        "acw_until": row.acw_until.isoformat() if row.acw_until else None,
        "extension": row.extension if row.chosen != "offline" else "",
    }


def _vacate(session: Session, switch: str, extension: str, *, but: int, by: int, at: datetime) -> None:
    rows = session.scalars(
        select(AgentState).where(
            AgentState.switch == switch, AgentState.extension == extension, AgentState.staff_id != but, AgentState.chosen != "offline"
        )
    )
    for row in rows.all():
        _leave_queues(session, row, by=by, at=at)
        _put(session, row, rules.left(_agent(row), at), by=by, at=at)


def _join_queues(session: Session, row: AgentState, *, by: int | None, at: datetime) -> None:
    inside = select(QueueMember.queue).where(QueueMember.switch == row.switch, QueueMember.extension == row.extension)
    wanted = select(AgentQueue).where(AgentQueue.staff_id == row.staff_id, AgentQueue.switch == row.switch)
    name = people.names(session, {row.staff_id}).get(row.staff_id, "")
    for one in session.scalars(wanted.where(AgentQueue.queue.not_in(inside)).order_by(AgentQueue.queue)):
        args = {"queue": one.queue, "penalty": one.penalty, "name": order_rules.shown_name(name)}
        orders.ask(session, "queue_add", row.staff_id, row.switch, row.extension, args, by=by, at=at)


def _leave_queues(session: Session, row: AgentState, *, by: int, at: datetime, only: set[str] | None = None) -> None:
    """Out of the queues that the phone was put into; what the switch's own settings say stays, and is paused."""
    here = QueueMember.switch == row.switch, QueueMember.extension == row.extension, QueueMember.dynamic
    for queue in session.scalars(select(QueueMember.queue).where(*here).order_by(QueueMember.queue)):
        if only is None or queue in only:
            orders.ask(session, "queue_remove", row.staff_id, row.switch, row.extension, {"queue": queue}, by=by, at=at)


def forget(session: Session, *, at: datetime) -> None:
    """Members that no switch has told of for a month are gone."""
    session.execute(delete(QueueMember).where(QueueMember.heard_at < at - timedelta(days=30)))
    stale = update(AgentState).where(AgentState.queues > 0, AgentState.heard_at < at - timedelta(days=30))
    session.execute(stale.values(queues=0, is_paused=None))
