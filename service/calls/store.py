"""One call becomes one row, whatever its channels were called before; older news never overwrites newer.

Calls are stored in batches: what a batch needs is read at once and written at once, so that a busy hour costs
statements by the batch and not by the call.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import joining, matching, missed, rules
from service.calls.model import AgentPop, Call, CallAlias, CallLeg, CallSegment, CallTransfer, PhoneLine, Recording
from service.calls.orders import actions as orders
from service.calls.schemas import CallFacts
from service.calls.shelf import actions as shelf
from service.calls.shelf.model import CallConsent
from service.core import audit, scope
from service.core import phone as phones
from service.parties import actions as parties
from service.staff import queries as staff

EVER = datetime(2000, 1, 1, tzinfo=UTC)  # before any seat was taken
COPIED = (
    "direction",
    "caller_number",
    "caller_name",
    "called",
    "queue",
    "agent",
    "answered_by",
    "disposition",
    "hangup_by",
    "started_at",
    "queued_at",
    "answered_at",
    "ended_at",
    "wait_seconds",
    "talk_seconds",
    "total_seconds",
    "hold_seconds",
    "final_agent",
    "role",
    "mailbox",
    "conference",
    "recording_name",
    "live",
    "provenance",
    "end_certain",
    "revision",
    "derivation",
    "call_key",
)

_ALIAS = insert(CallAlias)
_ADDED_ALIAS = _ALIAS.on_conflict_do_update(  # a call moves to the branch of whoever took it, and its names with it
    index_elements=["switch", "uniqueid"],
    set_={"branch_id": _ALIAS.excluded.branch_id},
    where=CallAlias.branch_id != _ALIAS.excluded.branch_id,
)
_MOVED_SOUND = (
    update(Recording)
    .where(Recording.call_id == Call.id, Recording.branch_id != Call.branch_id)
    .values(branch_id=Call.branch_id)
    .execution_options(synchronize_session=False)
)
_MOVED_CONSENT = (
    update(CallConsent)
    .where(
        CallConsent.switch == CallAlias.switch,
        CallConsent.uniqueid == CallAlias.uniqueid,
        CallConsent.branch_id != CallAlias.branch_id,
    )
    .values(branch_id=CallAlias.branch_id)
    .execution_options(synchronize_session=False)
)
_LEG = insert(CallLeg)
_ADDED_LEG = _LEG.on_conflict_do_update(
    index_elements=["call_id", "no"],
    set_={
        name: _LEG.excluded[name]
        for name in ("channel", "extension", "staff_id", "rang_at", "answered_at", "ended_at", "outcome", "branch_id")
    },
)
Name = tuple[str, str]  # switch and channel id


def store(session: Session, facts: Sequence[CallFacts], *, at: datetime) -> list[int]:
    """Each call's row says what its facts say, unless it already knows better; returns their ids in this order."""
    if not facts:
        return []
    rows, around = _known(session, facts), _Around(session, facts)
    with session.no_autoflush:  # or each question in between would write the rows one by one
        told = [(fact, *_stored(session, rows, around, fact, at)) for fact in facts]
    session.flush()
    parties.called(session, around.spoken)
    news = [(call, fact) for fact, call, is_news in told if is_news]
    _aliases(session, rows, [fact for _, fact in news])
    kept = [(call, fact) for call, fact in news if rows[_name(fact)] is call]
    shelf.consented(session, [(call, fact.call_key, fact.consent) for call, fact in kept if fact.consent], at=at)
    _legs(session, around, kept)
    _story(session, around, kept)
    missed.noted(session, {call.id: call for call, _ in kept}.values(), at=at)
    reached = orders.link(session, {name: rows[name] for _, fact in kept for name in _names(fact)})
    missed.reached(session, reached, at=at)
    _listened(session, around.spying, at)
    joining.told_again(session, {call.id: call for call, _ in kept}.values())
    return [rows.get(_name(fact), call).id for fact, call, _ in told]


def _name(fact: CallFacts) -> Name:
    return fact.switch, fact.call_key


def _names(fact: CallFacts) -> list[Name]:
    return [(fact.switch, name) for name in sorted({fact.call_key, *fact.aliases})]


def _known(session: Session, facts: Sequence[CallFacts]) -> dict[Name, Call]:
    """The rows of these calls under every name they had, locked with all that they belong to."""
    names = {name for fact in facts for name in _names(fact)}
    found = session.execute(
        select(CallAlias.switch, CallAlias.uniqueid, CallAlias.call_id).where(
            CallAlias.switch.in_({switch for switch, _ in names}), CallAlias.uniqueid.in_({name for _, name in names})
        )
    ).all()
    ids = {row.call_id for row in found}
    calls = joining.locked(session, ids) if ids else {}
    return {(row.switch, row.uniqueid): calls[row.call_id] for row in found}


def _stored(
    session: Session, rows: dict[Name, Call], around: "_Around", fact: CallFacts, at: datetime
) -> tuple[Call, bool]:
    """The call's row, and False when it knew better."""
    call = _one_of(session, rows, fact)
    if call is None:
        call = Call(switch=fact.switch)
        session.add(call)
    elif not rules.is_news(call, fact, around.passed(call), at=at):  # the same again may be re-read from the midst of the call
        return call, False
    rows |= dict.fromkeys(_names(fact), call)
    _write(session, call, rules.kept(call, fact), around, at)
    return call, True


def _one_of(session: Session, rows: dict[Name, Call], fact: CallFacts) -> Call | None:
    calls = list({id(rows[name]): rows[name] for name in _names(fact) if name in rows}.values())
    if len(calls) > 1:
        session.flush()
        calls.sort(key=lambda call: call.id)
        for loser in calls[1:]:
            _merge(session, loser, calls[0])
            rows |= {name: calls[0] for name, call in rows.items() if call is loser}
    return calls[0] if calls else None


def _merge(session: Session, loser: Call, winner: Call) -> None:
    """Two rows turned out to be one call: names and recordings move over, the later row goes."""
    session.execute(update(CallAlias).where(CallAlias.call_id == loser.id).values(call_id=winner.id))
    session.execute(update(Recording).where(Recording.call_id == loser.id).values(call_id=winner.id))
    session.execute(delete(CallLeg).where(CallLeg.call_id == loser.id))
    joining.merged(session, loser, winner)
    if winner.party_id is None:
        winner.party_id, winner.contact_id = loser.party_id, loser.contact_id
    winner.recorded, winner.reason = winner.recorded or joining.was_recorded(loser), winner.reason or loser.reason
    missed.merged(session, loser, winner)
    session.delete(loser)
    session.flush()


def _write(session: Session, call: Call, fact: CallFacts, around: "_Around", at: datetime) -> None:
    if fact.role == "supervision" != call.role:
        around.spying.append(call)
    for name in COPIED:
        setattr(call, name, getattr(fact, name))
    call.recorded = joining.was_recorded(call) or fact.recorded
    call.ring_seconds = _rang(fact)
    call.ticketed = call.ticketed or around.is_ticketed(fact)
    call.outcome = None if fact.live else rules.outcome(fact.direction, fact.disposition)
    call.called_e164 = phones.parse(fact.called).e164 if fact.direction == "outbound" else None
    call.caller_e164 = phones.parse(fact.caller_number).e164
    seat = around.seats.at(
        fact.switch, fact.agent or fact.answered_by or "", fact.answered_at or fact.started_at or at
    )
    call.staff_id = seat.staff_id if seat else None
    call.branch_id = seat.branch_id if seat else around.branch_for(fact)
    if call.party_id is None:
        _party(call, fact, around)
    if call.party_id and not fact.live and fact.direction != "internal":
        around.spoken.append((call.party_id, around.side(fact).number, fact.started_at or at))
    call.stored_at = at


def _listened(session: Session, calls: Sequence[Call], at: datetime) -> None:
    """Who listens in by dialling a code of the switch is on record too; whoever ordered it here is already."""
    for call in calls:
        if not call.call_key.startswith("ringdesk-"):
            told = {"extension": call.called, "switch": call.switch}
            audit.record(session, at=at, by=call.staff_id, verb="listen", entity="call", entity_id=call.id, new=told, branch_id=call.branch_id)


def _rang(fact: CallFacts) -> Decimal | None:
    """Seconds from the first phone's ring to the answer, or to the end of the last ring."""
    rang = min((leg.rang_at for leg in fact.legs if leg.rang_at), default=None)
    last = max((leg.ended_at for leg in fact.legs if leg.rang_at and leg.ended_at), default=None)
    until = fact.answered_at or last
    return Decimal(max((until - rang).total_seconds(), 0)).quantize(Decimal("0.001")) if rang and until else None


def _party(call: Call, fact: CallFacts, around: "_Around") -> None:
    """What an agent chose in the pop, else the only match of the number."""
    chosen = around.chosen(fact)
    if chosen:
        call.party_id, call.contact_id = chosen
    elif not fact.live or fact.answered_by:  # whose customer this is shows when somebody takes the call, or nobody did
        party_id, contact_id = matching.sure(around.matches.get(around.side(fact), []))
        if party_id is not None:
            call.party_id, call.contact_id = party_id, contact_id


class _Around:
    """What a batch needs to know of people, lines and pops; each part is read once."""

    def __init__(self, session: Session, facts: Sequence[CallFacts]) -> None:
        self._session, self._facts = session, facts
        self.spying: list[Call] = []  # calls that turned out to listen in
        self.spoken: list[tuple[int, phones.Phone, datetime]] = []  # whose number was used, and when

    @cached_property
    def seats(self) -> staff.Seatings:
        """Who sat where."""
        legs = {(fact.switch, leg.extension) for fact in self._facts for leg in fact.legs}
        ours = {(fact.switch, name) for fact in self._facts for name in (fact.agent, fact.answered_by)}
        ours |= {(fact.switch, one.extension) for fact in self._facts for one in fact.segments}
        ours |= {(fact.switch, one.extension) for fact in self._facts for one in fact.transfers}
        earliest = min((fact.started_at or EVER for fact in self._facts), default=EVER)
        return staff.seatings(self._session, {(switch, name) for switch, name in legs | ours if name}, since=earliest)

    @staticmethod
    def side(fact: CallFacts) -> matching.Side:
        """The customer's."""
        return matching.side(fact.direction, fact.caller_number, fact.called)

    @cached_property
    def matches(self) -> dict[matching.Side, list[matching.Match]]:
        """Who may be behind each number of the batch."""
        wanted = list({self.side(fact): scope.ALL for fact in self._facts if fact.direction != "internal"}.items())
        return dict(zip((side for side, _ in wanted), matching.matched(self._session, wanted), strict=True))

    def sat_at(self, call: Call, fact: CallFacts, extension: str | None, when: datetime | None) -> int | None:
        """Who sat at that phone then; of a moment that is not known, when the call began."""
        seat = self.seats.at(fact.switch, extension or "", when or fact.started_at or call.stored_at)
        return seat.staff_id if seat else None

    def chosen(self, fact: CallFacts) -> tuple[int, int | None] | None:
        """Party and contact: what somebody said in a pop of the call, else what the pop of who took it knows."""
        pops = [pop for name in _names(fact) for pop in self.pops.get(name, ())]
        pops = [pop for pop in pops if pop.party_id is not None]
        said = [pop for pop in pops if pop.matches and pop.matches[0].get("reason") == "chosen"]
        took = [pop for pop in pops if pop.extension in (fact.agent, fact.answered_by)]
        return next(((pop.party_id, pop.contact_id) for pop in [*said, *took]), None)

    def is_ticketed(self, fact: CallFacts) -> bool:
        """True when a ticket came of a pop of the call before the call was stored."""
        return any(pop.ticketed for name in _names(fact) for pop in self.pops.get(name, ()))

    def passed(self, call: Call) -> list[rules.Passed]:
        """How the books have the call passed on; asked only where files may contradict them."""
        return self._passed.get(call.id, [])

    @cached_property
    def _passed(self) -> dict[int, list[rules.Passed]]:
        names = {name for fact in self._facts if fact.proven for _, name in _names(fact)}
        switches = {fact.switch for fact in self._facts if fact.proven}
        calls = select(CallAlias.call_id).where(CallAlias.switch.in_(switches), CallAlias.uniqueid.in_(names))
        moves = select(CallTransfer).where(CallTransfer.call_id.in_(calls)).order_by(CallTransfer.call_id, CallTransfer.no)
        found: dict[int, list[rules.Passed]] = {}
        for one in self._session.scalars(moves) if names else ():
            found.setdefault(one.call_id, []).append((one.how, one.extension))
        return found

    @cached_property
    def pops(self) -> dict[Name, list[Any]]:
        """The pops of the calls that know a party, or that a ticket came of."""
        names = {name for fact in self._facts for name in _names(fact)}
        found = self._session.execute(
            select(
                AgentPop.switch,
                AgentPop.call_key,
                AgentPop.extension,
                AgentPop.party_id,
                AgentPop.contact_id,
                AgentPop.matches,
                AgentPop.ticketed,
            )
            .where(
                AgentPop.switch.in_({switch for switch, _ in names}),
                AgentPop.call_key.in_({name for _, name in names}),
                AgentPop.party_id.is_not(None) | AgentPop.ticketed,
            )
            .order_by(AgentPop.id)
        )
        pops: dict[Name, list[Any]] = {}
        for row in found:
            pops.setdefault((row.switch, row.call_key), []).append(row)
        return pops

    @cached_property
    def lines(self) -> dict[tuple[str, str, str], int]:
        """Branch by switch, kind and name."""
        found = self._session.execute(select(PhoneLine.switch, PhoneLine.kind, PhoneLine.name, PhoneLine.branch_id))
        return {(row.switch, row.kind, row.name): row.branch_id for row in found}

    @cached_property
    def headquarters(self) -> int:
        """Where calls belong that nobody else has."""
        return staff.headquarters(self._session)

    def branch_for(self, fact: CallFacts) -> int:
        """The branch of the queue, else of the line called, else the headquarters."""
        for kind, name in (("queue", fact.queue), ("line", fact.called)):
            found = self.lines.get((fact.switch, kind, name)) if name else None
            if found is not None:
                return found
        return self.headquarters


def _aliases(session: Session, rows: dict[Name, Call], facts: list[CallFacts]) -> None:
    calls = {name: rows[_name(fact)] for fact in facts for name in _names(fact)}
    added = [
        {"switch": switch, "uniqueid": name, "call_id": call.id, "branch_id": call.branch_id}
        for (switch, name), call in calls.items()
    ]
    if added:
        session.execute(_ADDED_ALIAS, added)
        moved = {alias["call_id"] for alias in added}
        session.execute(_MOVED_SOUND.where(Call.id.in_(moved)))
        session.execute(_MOVED_CONSENT.where(CallAlias.call_id.in_(moved)))


def _legs(session: Session, around: "_Around", news: list[tuple[Call, CallFacts]]) -> None:
    """The legs of calls that were not merged into another; what was told last counts."""
    gone = {call.id for call, fact in news if fact.provenance == "backfilled"}
    if gone:
        session.execute(delete(CallLeg).where(CallLeg.call_id.in_(gone)))
    added = {(leg["call_id"], leg["no"]): leg for call, fact in news for leg in _leg_rows(call, fact, around)}
    if added:
        session.execute(_ADDED_LEG, list(added.values()))


def _story(session: Session, around: "_Around", news: list[tuple[Call, CallFacts]]) -> None:
    """Segments and transfers of calls that have ended; of a call that is told twice the later telling counts."""
    last = {call.id: (call, fact) for call, fact in news if not fact.live}
    for table, rows in ((CallSegment, _segment_rows), (CallTransfer, _transfer_rows)):
        session.execute(delete(table).where(table.call_id.in_(last)))
        added = [row for call, fact in last.values() for row in rows(call, fact, around)]
        if added:
            session.execute(insert(table), added)


def _segment_rows(call: Call, fact: CallFacts, around: "_Around") -> Iterator[dict[str, Any]]:
    for no, one in enumerate(fact.segments, 1):
        yield {
            "call_id": call.id,
            "no": no,
            "kind": one.kind,
            "extension": one.extension,
            "staff_id": around.sat_at(call, fact, one.extension, one.began_at),
            "began_at": one.began_at,
            "ended_at": one.ended_at,
            "seconds": one.seconds,
            "branch_id": call.branch_id,
        }


def _transfer_rows(call: Call, fact: CallFacts, around: "_Around") -> Iterator[dict[str, Any]]:
    for no, one in enumerate(fact.transfers, 1):
        yield {
            "call_id": call.id,
            "no": no,
            "how": one.how,
            "extension": one.extension,
            "staff_id": around.sat_at(call, fact, one.extension, one.at),
            "target": one.target,
            "answered": one.answered,
            "at": one.at,
            "branch_id": call.branch_id,
        }


def _leg_rows(call: Call, fact: CallFacts, around: "_Around") -> Iterator[dict[str, Any]]:
    for leg in fact.legs:
        yield {
            "call_id": call.id,
            "no": leg.no,
            "channel": leg.channel,
            "extension": leg.extension,
            "staff_id": around.sat_at(call, fact, leg.extension, leg.answered_at or leg.rang_at),
            "rang_at": leg.rang_at,
            "answered_at": leg.answered_at,
            "ended_at": leg.ended_at,
            "outcome": leg.outcome,
            "branch_id": call.branch_id,
        }
