"""The floor as one look shows it, in a fixed number of questions however many calls and agents there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Row, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from service.calls import matching
from service.calls import queries as calls
from service.calls import rules as call_rules
from service.calls.agents.model import AgentState, QueueMember
from service.calls.completeness import unfilled
from service.calls.kpi import queries as kpis
from service.calls.kpi.measures import OFFERED, Measures
from service.calls.lines import Labels, queue_labels
from service.calls.model import Call, CallAlias, CallSegment, FeedCheckpoint
from service.calls.wallboard import rules
from service.calls.wallboard.rules import Line
from service.core import clock, kpi
from service.core.kpi import Figures, Policy
from service.core.scope import Scope
from service.parties import queries as parties
from service.staff import queries as staff

LONGEST = timedelta(hours=12)  # an older call that is still said to go on was never told to end
MOST = 80
NOBODY: tuple[int, datetime | None] = (0, None)
WAITING = Call.live & Call.queue.is_not(None) & Call.queued_at.is_not(None) & Call.answered_at.is_(None)


@dataclass(frozen=True)
class AgentCard:
    """One agent at work, and whose call they have."""

    agent: AgentState
    name: str
    with_whom: str
    differs: bool


@dataclass(frozen=True)
class CallRow:
    """One call of this moment."""

    call: Call
    state: str
    since: datetime | None
    number: str | None
    customer: str
    agent: str
    queue: str


@dataclass(frozen=True)
class Board:
    """Everything the wallboard shows."""

    policy: Policy
    lines: list[Line]
    agents: list[AgentCard]
    calls: list[CallRow]
    heard_at: datetime | None
    unheard: list[tuple[str, str]] = field(default_factory=list)
    unfilled: int = 0

    @property
    def day(self) -> Figures:
        """All queues' day."""
        return rules.total(self.lines)

    @property
    def waiting(self) -> int:
        """How many wait in all queues, whether or not the table has room for them."""
        return sum(line.waiting for line in self.lines)

    @property
    def longest(self) -> datetime | None:
        """Since when the first of them has waited."""
        return min((line.since for line in self.lines if line.since), default=None)

    @property
    def states(self) -> dict[str, int]:
        """How many agents are in each state."""
        return dict(rules.counts([card.agent.state for card in self.agents]))


def board(session: Session, switches: Sequence[str], *, at: datetime, midnight: datetime, reach: Scope) -> Board:
    """The floor in the scope of this transaction, `reach`; `midnight` is where the firm's day began."""
    live = _calls(session, at)
    agents = _agents(session)
    labels = queue_labels(session)
    rows = _rows(session, live, agents, labels, reach)
    found = kpis.stretches(session)
    day = _figures(session, midnight, Measures(kpis.measured_by(found)))
    return Board(
        policy=kpi.of_day(found, clock.local(midnight).date()),
        lines=_lines(session, agents, labels, day, at),
        agents=_cards(session, agents, rows),
        calls=rows,
        heard_at=session.scalar(select(func.min(FeedCheckpoint.at)).where(FeedCheckpoint.switch.in_(switches))),
        unheard=calls.unheard(session, switches),
        unfilled=unfilled(session, switches, at=at),
    )


def _calls(session: Session, at: datetime) -> list[Call]:
    now = Call.live & (Call.started_at > at - LONGEST)
    over = Call.ended_at > at - rules.JUST_ENDED
    wanted = select(Call).where(Call.started_at > at - LONGEST, or_(now, over), Call.role.is_(None), Call.joined_to_id.is_(None))
    first = WAITING.desc()  # where there is no room for all, whoever talks can be left out
    return list(session.scalars(wanted.order_by(first, Call.started_at.desc(), Call.id.desc()).limit(MOST)))


def _agents(session: Session) -> list[AgentState]:
    at_work = select(AgentState).where(or_(AgentState.chosen != "offline", AgentState.phase != "idle"))
    return sorted(session.scalars(at_work), key=lambda one: (rules.ORDER.index(one.state), one.since))


def _rows(session: Session, live: Sequence[Call], agents: Sequence[AgentState], labels: Labels, reach: Scope) -> list[CallRow]:
    ids = [call.id for call in live]
    last = _last_segments(session, ids)
    at_call = _at_call(session, agents, ids)
    names = staff.names(session, {one.staff_id for one in agents} | {call.staff_id for call in live if call.staff_id})
    customers = _customers(session, live, reach)
    return [_row(call, last.get(call.id), at_call.get(call.id, []), names, customers, labels) for call in live]


def _customers(session: Session, live: Sequence[Call], reach: Scope) -> dict[int, str]:
    """Whose each call is: what is stored, else the only customer on file with that number."""
    names = parties.names(session, {call.party_id for call in live if call.party_id})
    known = {call.id: names.get(call.party_id, "") for call in live if call.party_id}
    open_ = [call for call in live if not call.party_id and call.direction != "internal"]
    wanted = [(matching.side(call.direction, call.caller_number, call.called), reach) for call in open_]
    for call, found in zip(open_, matching.matched(session, wanted) if wanted else [], strict=True):
        if matching.sure(found)[0] is not None:
            known[call.id] = found[0].name
    return known


def _row(
    call: Call,
    last: Row[int, str, datetime | None] | None,
    at_call: Sequence[AgentState],
    names: dict[int, str],
    customers: dict[int, str],
    labels: Labels,
) -> CallRow:
    holding = next((one for one in at_call if one.phase == "hold"), None)  # segments are stored when a call ends
    kind = last.kind if last else "hold" if holding else ""
    state = rules.call_state(bool(call.answered_at), not call.live, kind, any(one.phase == "ringing" for one in at_call), bool(call.queue))
    rung = [names.get(one.staff_id, "") for one in at_call]
    taken = names.get(call.staff_id or 0) or call.answered_by or call.agent or ""
    since = {"ended": call.ended_at, "waiting": call.queued_at, "held": last.began_at if last else holding.since if holding else None, "talking": call.answered_at}.get(state)
    return CallRow(
        call=call,
        state=state,
        since=since or call.started_at,
        number=call_rules.customer_number(call.direction, call.caller_number, call.called),
        customer=customers.get(call.id, ""),
        agent=taken if call.answered_at else " · ".join(rung) or (taken if call.direction != "inbound" else ""),
        queue=labels.of(call.switch, call.queue) or "",
    )


def _last_segments(session: Session, ids: Sequence[int]) -> dict[int, Row[int, str, datetime | None]]:
    """Where each call's customer is now."""
    last = select(CallSegment.call_id, CallSegment.kind, CallSegment.began_at).where(CallSegment.call_id.in_(ids))
    last = last.ext(distinct_on(CallSegment.call_id)).order_by(CallSegment.call_id, CallSegment.no.desc())
    return {row.call_id: row for row in session.execute(last)} if ids else {}


def _at_call(session: Session, agents: Sequence[AgentState], ids: Sequence[int]) -> dict[int, list[AgentState]]:
    """The agents whose phones each call rings or has."""
    busy = {(one.switch, one.call_key or ""): [] for one in agents if one.phase != "idle"}  # type: dict[tuple[str, str], list[AgentState]]
    for one in agents:
        if one.phase != "idle":
            busy[one.switch, one.call_key or ""].append(one)
    if not busy or not ids:
        return {}
    names = select(CallAlias.switch, CallAlias.uniqueid, CallAlias.call_id).where(CallAlias.call_id.in_(ids))
    found: dict[int, list[AgentState]] = {}
    for row in session.execute(names):
        found.setdefault(row.call_id, []).extend(busy.get((row.switch, row.uniqueid), ()))
    return found


def _cards(session: Session, agents: Sequence[AgentState], rows: Sequence[CallRow]) -> list[AgentCard]:
    names = staff.names(session, {one.staff_id for one in agents})
    whom = {row.call.staff_id: row.customer or row.number or "" for row in rows if row.state in ("talking", "held") and row.call.staff_id}
    return [
        AgentCard(
            one,
            names.get(one.staff_id, one.extension),
            whom.get(one.staff_id, ""),
            one.is_paused is not None and one.is_paused != one.wants_paused and one.chosen != "offline",
        )
        for one in agents
    ]


def _lines(
    session: Session, agents: Sequence[AgentState], labels: Labels, day: Mapping[tuple[str, str], Figures], at: datetime
) -> list[Line]:
    members = _members(session)
    free = {(one.switch, one.extension) for one in agents if one.state == "ready"}
    waiting = _waiting(session, at)
    known = {*labels, *day, *members, *waiting}
    names = sorted(known, key=lambda name: (-waiting.get(name, NOBODY)[0], labels.get(name, name[1]), name))
    return [
        Line(
            switch=name[0],
            name=name[1],
            label=labels.of(*name) or name[1],
            waiting=waiting.get(name, NOBODY)[0],
            since=waiting.get(name, NOBODY)[1],
            free=sum((name[0], extension) in free for extension in members.get(name, ())),
            members=len(members.get(name, ())),
            day=day.get(name, Figures()),
        )
        for name in names
    ]


def _waiting(session: Session, at: datetime) -> dict[tuple[str, str], tuple[int, datetime | None]]:
    """How many wait in each queue, and since when the first: counted of all of them, however many other calls there are."""
    counted = select(Call.switch, Call.queue, func.count(), func.min(Call.queued_at)).group_by(Call.switch, Call.queue)
    rows = session.execute(counted.where(WAITING, Call.started_at > at - LONGEST, Call.role.is_(None), Call.joined_to_id.is_(None)))
    return {(row[0], row[1] or ""): (row[2], row[3]) for row in rows}


def _members(session: Session) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for row in session.execute(select(QueueMember.switch, QueueMember.queue, QueueMember.extension)):
        found.setdefault((row.switch, row.queue), []).append(row.extension)
    return found


def _figures(session: Session, midnight: datetime, measures: Measures) -> dict[tuple[str, str], Figures]:
    """Each queue's day so far, of the calls that began in it."""
    today = Call.started_at >= midnight, OFFERED
    rows = session.execute(select(Call.switch, Call.queue, *measures.sums(passed_on=False)).where(*today).group_by(Call.switch, Call.queue))
    return {(row[0], row[1]): Figures(*row[2:]) for row in rows}
