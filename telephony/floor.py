"""All calls that are going on, and the only writer of them: what the switch says becomes changes."""

import logging
import re
from collections import deque
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import datetime, timedelta

from telephony import members
from telephony.event import Event
from telephony.grouping import MANY, PAIRS, SPIES, Groups, Seats, channels, joined, linkedids
from telephony.guard import KEPT, Doubt
from telephony.livecall import Leg, LiveCall, merged, met, passed_on, replace, together
from telephony.step import STEPS, over
from telephony.switch import Switch
from telephony.timeline import WITH_AGENT, How, Move, last_talk

log = logging.getLogger(__name__)
LATE = 5000  # ids of ended calls that are remembered, so that a straggling event does not open them again
DOUBTS = 1000
TRUNKS = 1000
SPIED = 100  # orders to listen in that are remembered
_OUTSIDE = re.compile(r"\+?\d{7,}")
_DIALLING = frozenset({"3", "4"})  # channel states of who dials: Dialing, Ring
_CONTROL = frozenset({"FullyBooted", "CoreShowChannelsComplete"})
# Believed only of channels that were seen to begin: a caller can write such events.
_CLAIMS = frozenset({"Hangup", "HangupRequest", "SoftHangupRequest", "DialBegin", "DialState", "DialEnd", "AgentCalled",
                     "AgentConnect", "AgentComplete", "AgentRingNoAnswer"})
# Say something of a channel that is known, and nothing that would be worth a call of its own.
_REMARKS = frozenset({"OriginateResponse", "UserEvent", "MixMonitorStart", "MixMonitorStop", "MixMonitorMute", "QueueCallerLeave", "QueueCallerAbandon",
                      "BridgeLeave", "Hold", "Unhold", "Newexten", "CEL", "MessageWaiting", "ConfbridgeJoin", "ConfbridgeLeave", SPIES})
# Change nothing about where the customer is.
_NO_MOVE = frozenset({"Newchannel", "NewCallerid", "AgentCalled", "AgentComplete", "UserEvent", "MixMonitorStart", "MixMonitorStop", "MixMonitorMute", "OriginateResponse",
                      "HangupRequest", "SoftHangupRequest", "LocalBridge", "Hangup", "BridgeLeave", "DialState", SPIES})
WANTED = frozenset(name.encode() for name in STEPS) | {b"FullyBooted", b"CoreShowChannelsComplete",
                                                       b"Join", b"Leave", b"Dial"} | members.WANTED


@dataclass(frozen=True, slots=True)
class Change:
    """A call before and after; `old` is None for a new one, another call for one that was joined to it."""

    old: LiveCall | None
    new: LiveCall
    at: datetime | None
    offset: int


class Floor:
    """Every call that is going on. Ended calls are let go, so that memory stays flat."""

    def __init__(self, switch: Switch | None = None) -> None:
        self.switch = switch or Switch()
        self.calls: dict[str, LiveCall] = {}
        self.doubts: deque[Doubt] = deque(maxlen=DOUBTS)
        self.doubted = 0
        self.heard_at: datetime | None = None
        self._groups, self._seats = Groups(), Seats()
        self._spies: dict[str, None] = {}  # channels that were ordered to listen in
        self._late: dict[str, None] = {}
        self._born: set[str] = set()  # heard to begin since the last snapshot, so that one cannot miss them
        self._trunks: set[str] = set()
        self._shown: set[str] = set()
        self._cut_at: datetime | None = None
        self._uptime: int | None = None
        self.listed = True  # the last list of channels came whole

    @property
    def live_ids(self) -> int:
        """How many ids are known to belong to a call that goes on, at a phone or anywhere."""
        return max(len(self._groups), len(self._seats))

    @property
    def remembered(self) -> int:
        """How many ids of ended calls are kept, LATE at most."""
        return len(self._late)

    def listens_in(self, channel: str) -> None:
        """The channel of that id, which is about to begin, is a supervisor's who listens in."""
        self._spies[channel] = None
        while len(self._spies) > SPIED:
            del self._spies[next(iter(self._spies))]

    def hear(self, event: Event) -> list[Change]:
        """Take one event and return what it changed; nothing raises, what cannot be believed is counted."""
        try:
            return self._heard(event)
        except Exception as error:  # a fault of ours must cost no other event: a journal is read again at each start
            log.exception("%.50r at byte %d could not be understood and is left out", event.name, event.offset)
            self.doubt(Doubt(event.offset, f"not understood: {error!r}", repr(dict(event.headers)).encode()))
            return []

    def _heard(self, event: Event) -> list[Change]:
        if event.name in _CONTROL:
            return self._control(event)
        step = STEPS.get(event.name)
        if step is None:
            return []
        self.heard_at = event.at or self.heard_at
        if event.name == "Newchannel":
            self._born.add(event.headers.get("uniqueid", ""))
        elif event.name == "CoreShowChannel":
            self._shown.add(event.headers.get("uniqueid", ""))
        known, changes = self._known(event), list[Change]()
        if known is None:
            call, changes = self._call_of(event)
            if call is None:
                return changes
            event = timed(event, call)
            known = self._with_channels(call, event)
        else:
            event = timed(event, known)
        return self._stepped(known, step(known, event), event, changes)

    def _stepped(self, call: LiveCall, new: LiveCall, event: Event, changes: list[Change]) -> list[Change]:
        """The changes with what the step did to the call."""
        if new is not call and event.name not in _NO_MOVE:
            new = met(new, event.at)
        old = self.calls.get(call.key)
        if not new.legs:
            self._groups.release(new.key)
        elif new is not old or changes:
            changes.append(self._keep(old, new, event))
        return changes

    def _known(self, event: Event) -> LiveCall | None:
        """The call that goes on, when the event names legs and linkedids of it that are all known: most do."""
        headers = event.headers
        call = self.calls.get(self._groups.find(headers.get("uniqueid", "")) or "")
        if call is None or event.name in MANY or headers["uniqueid"] not in call.legs or headers.get("linkedid") not in call.linkedids:
            return None
        if event.name in PAIRS and (headers.get("destuniqueid") not in call.legs or headers.get("destlinkedid") not in call.linkedids):
            return None
        return call

    def _call_of(self, event: Event) -> tuple[LiveCall | None, list[Change]]:
        """The call that the event is about, calls that it joins made one; None when it is not to be believed."""
        ids = joined(event)
        named = [event.headers.get(prefix + "uniqueid", "") for prefix in channels(event)]
        own = [name for name in named if name and name != "<unknown>"]
        if not ids or any(name in self._late for name in own):
            return None, []
        if event.name in _CLAIMS and any(self._groups.find(name) is None for name in own):
            self.doubt(Doubt(event.offset, f"{event.name} for a channel that never began", repr(dict(event.headers)).encode()))
            return None, []
        if event.name in _REMARKS and not all(self._is_leg(name) for name in own):
            return None, []
        ids = [name for name in ids if name not in self._late]
        if not ids:
            return None, []
        if event.name == "QueueEntry" and self._groups.find(ids[0]) is None:
            return None, []
        return self._joined(self._of_one_caller(ids, own), event)

    def _of_one_caller(self, ids: list[str], own: list[str]) -> list[str]:
        """The ids without those of another caller's call: two callers whom an agent joins with each other are two calls."""
        roots = {name: self._groups.find(name) for name in ids}
        callers = {root for root in roots.values() if root in self.calls and _came_in(self.calls[root])}
        if len(callers) < 2:
            return ids
        keep = next(root for root in (*(roots.get(name) for name in own), *roots.values()) if root in callers)
        return [name for name in ids if roots[name] not in callers or roots[name] == keep]

    def _is_leg(self, channel: str) -> bool:
        key = self._groups.find(channel)
        return key is not None and key in self.calls and channel in self.calls[key].legs

    def _joined(self, ids: list[str], event: Event) -> tuple[LiveCall, list[Change]]:
        key, gone = self._groups.join(ids)
        members = self._groups.members(key)
        parts = [self.calls.pop(name) for name in gone if name in self.calls]
        whole = self.calls.get(key) or (parts[0] if parts else LiveCall(key=key, ids=members, clock=event.jumped))
        for part in parts:
            whole = whole if part is whole else merged(whole, part, event.at)
        if whole.key != key or len(whole.ids) != len(members):
            whole = replace(whole, key=key, ids=members)
        if parts:
            self.calls[key] = whole
        return whole, [Change(part, whole, event.at, event.offset) for part in parts]

    def _with_channels(self, call: LiveCall, event: Event) -> LiveCall:
        fresh = [name for name in linkedids(event)
                 if name not in call.linkedids and name not in self._late and self._groups.find(name) in (None, call.key)]
        if fresh:
            call = replace(call, linkedids=tuple(dict.fromkeys((*call.linkedids, *fresh))))
        if not call.legs and event.name == "Newchannel":
            spies = self._spies.pop(event.headers.get("uniqueid", ""), "") is None
            call = replace(call, role="supervision") if spies else self._consulting(call, event)
        for prefix in channels(event):
            name = event.headers.get(prefix + "uniqueid", "")
            if name and name != "<unknown>" and name not in call.legs and event.name not in ("QueueEntry", *_REMARKS):
                leg = self._leg(name, prefix, event)
                self._seats.taken(leg.party, leg.id)
                call = call.with_leg(leg)
        return call

    def _consulting(self, call: LiveCall, event: Event) -> LiveCall:
        """A phone that dials while it has a customer asks a colleague: that is no customer's call."""
        party = self.switch.extension(event.headers.get("channel", ""))
        if party is None or event.headers.get("channelstate") not in _DIALLING:
            return call
        for channel in self._seats.at(party):
            other = self.calls.get(self._groups.find(channel) or "")
            leg = other.legs.get(channel) if other else None
            if other and leg and other.answered and leg.up and not (leg.ended or leg.passed) and any(one.trunk for one in other.legs.values()):
                return replace(call, role="consultation", serves=other.key)
        return call

    def _leg(self, name: str, prefix: str, event: Event) -> Leg:
        """A channel at first sight; seen late it is a placeholder, with what can be told now."""
        channel = event.headers.get(prefix + "channel", "")
        local = channel.startswith("Local/")
        snapshot = event.name in ("CoreShowChannel", "Status")
        trunk = not local and (self._is_trunk(channel, event.headers.get(prefix + "context", "")) or
                               (snapshot and self._came_in(channel, event)))
        return Leg(
            id=name, channel=channel, local=local, trunk=trunk, began_at=None if snapshot else event.at,
            party=None if local or trunk or not channel else self.switch.party(channel),
            shown=event[prefix + "CallerIDNum"], exten=event[prefix + "Exten"],
        )

    def _is_trunk(self, channel: str, context: str) -> bool:
        """True by the context; an endpoint that was a trunk once is one in any context."""
        endpoint = self.switch.party(channel)
        if self.switch.is_trunk(channel, context):
            if len(self._trunks) < TRUNKS:
                self._trunks.add(endpoint)
            return True
        return endpoint in self._trunks

    def _came_in(self, channel: str, event: Event) -> bool:
        """True of a channel that a list shows deep in the dialplan: it began its call, as no phone of ours, with an outside number."""
        return event.headers.get("uniqueid") == event.headers.get("linkedid") and self.switch.extension(channel) is None and \
            _OUTSIDE.fullmatch(event["CallerIDNum"] or "") is not None

    def _keep(self, old: LiveCall | None, new: LiveCall, event: Event) -> Change:
        if new.ended:
            self.calls.pop(new.key, None)
            self._forget(new.key)
        else:
            self.calls[new.key] = new
        return Change(old, new, event.at, event.offset)

    def _forget(self, key: str) -> None:
        ids = self._groups.release(key)
        self._seats.left(ids)
        self._late.update(dict.fromkeys(ids))
        self._born -= ids
        while len(self._late) > LATE:
            del self._late[next(iter(self._late))]

    def doubt(self, doubt: Doubt) -> None:
        """Put a frame into quarantine and count it."""
        self.doubts.append(replaced(doubt, frame=doubt.frame[:KEPT]))
        self.doubted += 1

    def alive(self, at: datetime | None) -> None:
        """Nothing was missed until then: what a cut ends, ended later."""
        if at is not None and (self.heard_at is None or at > self.heard_at):
            self.heard_at = at

    def _control(self, event: Event) -> list[Change]:
        if event.name == "FullyBooted":
            return self._connected(event)
        shown, self._shown = self._shown, set()
        self.listed = event.number("ListItems") == len(shown)
        if not self.listed:
            return []  # part of the list was lost: nothing follows from it
        at, self._cut_at = self._cut_at or event.at, None
        shown |= self._born
        self._born = set()
        return [self._close(call, at, event, shown) for call in list(self.calls.values()) if _missing(call, shown)]

    def _connected(self, event: Event) -> list[Change]:
        """A new connection: what went on before it is in doubt, and gone when the switch itself began later."""
        self._cut_at, self._shown, self._born = self.heard_at, set(), set()
        uptime, before = event.number("Uptime"), self._uptime
        self._uptime = uptime
        if uptime is None:
            return []
        if event.at is None:
            dead = list(self.calls.values()) if before is not None and uptime < before else []
        else:
            # Uptime is in whole seconds and the clocks may differ a little: two seconds are nobody's call.
            booted = event.at - timedelta(seconds=min(uptime, 10**9) + 2)
            dead = [call for call in self.calls.values() if call.began_at and call.began_at < booted]
        return [self._close(replace(call, lost="restart"), self._cut_at, event, set()) for call in dead]

    def _close(self, call: LiveCall, at: datetime | None, event: Event, shown: set[str]) -> Change:
        """End the legs that are not there any more; their end is concluded, not heard."""
        old = self.calls.get(call.key)
        return self._keep(old, concluded(call, at, shown), event)

    def stragglers(self) -> list[LiveCall]:
        """Return the calls that look over though an end was not heard: a snapshot would tell."""
        return [call for call in self.calls.values() if _straggles(call)]

    def finish(self) -> list[Change]:
        """Close the stragglers at the last end that was heard of them, when no more will be."""
        return [self._close(call, _last_end(call) or self.heard_at, Event("", {}, self.heard_at), set())
                for call in self.stragglers()]


def timed(event: Event, call: LiveCall) -> Event:
    """Return the event with its time on the clock that the call began with: a clock that is put forward lengthens no talk."""
    if event.jumped == call.clock or event.at is None:
        return event
    return replaced(event, at=event.at - (event.jumped - call.clock))


def _came_in(call: LiveCall) -> bool:
    me = call.principal
    return me is not None and me.trunk and not me.dialled and me.id == call.origin


def concluded(call: LiveCall, at: datetime | None, shown: set[str]) -> LiveCall:
    """Return the call with each leg ended that `shown` lacks; where the call had been going down, its end is sure."""
    origin = call.legs.get(call.origin)
    going = origin is not None and (origin.ended or origin.asked)
    for leg in list(call.legs.values()):
        if not leg.ended and leg.id not in shown:
            sure = going or leg.asked
            call = call.with_leg(replace(leg, ended=True, ended_at=at, sure=sure, bridge=None, held=False))
    return over(_sent_unheard(_passed_unheard(met(replace(call, repaired=True), at)), at), at)


def _passed_unheard(call: LiveCall) -> LiveCall:
    """The call with what happened in a gap: another agent has the customer, and the one before is gone."""
    talks = [at for at, segment in enumerate(call.segments) if segment.kind in WITH_AGENT]
    if len(talks) < 2 or any(move.talk >= talks[-2] for move in call.moves):
        return call
    had, has = call.segments[talks[-2]], call.segments[talks[-1]]
    before = call.legs.get(had.leg or "")
    if had.leg == has.leg or before is None or not before.ended or before.sure or before.asked:
        return call
    me = call.principal
    sent = me.place if me is not None and me.place != me.exten else None
    after = call.legs.get(has.leg or "")
    how: How = "blind" if sent or (me is not None and after is not None and after.parent == me.id) else "attended"
    return replace(call, moves=(*call.moves, Move(how, had.party, sent or has.party, before.id, has.began_at, talks[-2])))


def _sent_unheard(call: LiveCall, at: datetime | None) -> LiveCall:
    """The call with what happened in a gap: who had the customer is gone, and they are elsewhere in the dialplan."""
    me, had = call.principal, last_talk(call.segments)
    if me is None or me.ended or had < 0 or together(call) is not None or any(move.talk >= had for move in call.moves):
        return call
    before = call.legs.get(call.segments[had].leg or "")
    if before is None or not before.ended or before.sure or before.asked or me.place in (None, "s", "h", me.exten, before.party):
        return call
    return passed_on(call, "blind", before, before.party, me.place, at)


def _missing(call: LiveCall, shown: set[str]) -> bool:
    return any(not leg.ended and leg.id not in shown for leg in call.legs.values())


def _last_end(call: LiveCall) -> datetime | None:
    return max((leg.ended_at for leg in call.legs.values() if leg.ended_at), default=None)


def _straggles(call: LiveCall) -> bool:
    origin = call.legs.get(call.origin)
    if origin is None:
        return True
    if call.talking or not (origin.ended or origin.asked):
        return False
    return all(leg.ended or leg.asked or leg.local or (leg.id != call.origin and _is_alone(call, leg)) for leg in call.legs.values())


def _is_alone(call: LiveCall, leg: Leg) -> bool:
    return leg.bridge is None or not any(one.bridge == leg.bridge and one.id != leg.id for one in call.legs.values())
