"""How each kind of call goes, step by step: a script tells the switch what happens and yields the seconds until more does."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime

from telephony.simulator.frames import BUSY, DOWN, NAME_BYTES, RINGING, UNKNOWN, UP, Channel
from telephony.simulator.plan import Plan
from telephony.simulator.scenario import Queue
from telephony.simulator.switch import Entry, Switch
from telephony.simulator.truth import Truth

Script = Generator[float, None, None]
PHONE_ANSWERS_SIP = 0.0015             # between the INVITE and the phone's 180
DIRECT_RING_SECONDS = 20.0
QUEUE_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Order:
    """Somebody decided what happens to a call that is under way."""

    verb: str                          # answer | hangup | transfer
    extension: str = ""                # who answers; agent for who hangs up; where the call is passed on to


class Call:
    """One call being played: its plan, what is true of it so far, and an order that may have come in."""

    def __init__(self, switch: Switch, plan: Plan) -> None:
        self.switch, self.plan = switch, plan
        self.truth: Truth | None = None
        self.order: Order | None = None
        self.recording: tuple[str, float | None] | None = None     # name, and when both began to be heard
        self.heard_seconds = 0.0

    def play(self) -> Script:
        """The script of this kind of call."""
        kind = self.plan.kind
        if kind.startswith("direct"):
            return self._direct()
        if kind.startswith("outbound"):
            return self._outbound()
        return self._internal() if kind == "internal" else self._queued()

    # the queue

    def _queued(self) -> Script:
        switch, queue = self.switch, self.plan.queue
        assert queue is not None
        caller = switch.caller_arrives(self.plan.caller, queue.number)
        truth = self._begin(caller, "inbound", queue.number)
        truth.queue = queue.name
        caller.priority = 2
        switch.new_state(caller, UP)
        self._record(caller)
        switch.device("PJSIP/trunk", "INUSE")
        caller.priority = 6
        entry = switch.joins(caller, queue)
        switch.music(caller, True)
        leg = yield from self._find_agent(caller, queue, entry)
        if leg is None:
            return
        truth.wait_seconds = switch.at - entry.joined
        yield from self._talk(caller, leg, queue)

    def _find_agent(self, caller: Channel, queue: Queue, entry: Entry) -> Generator[float, None, Channel | None]:
        """Rings phones in rounds until one answers (its leg) or the caller gives up (None)."""
        gives_up, ring_out = entry.joined + self.plan.patience, self.plan.let_ring_out
        while True:
            legs = self._ring_phones(caller, queue)
            yield from self._phones_ring(caller, legs)
            winner, wait = self._next_thing(legs, queue, gives_up, ring_out)
            yield wait
            winner = self._obey(legs, winner)
            if winner is not None:
                self._answered_in_queue(caller, queue, legs, winner, entry)
                return winner
            if self._hung_up() or self.switch.at >= gives_up - 0.001:
                self._abandons(caller, legs, entry)
                return None
            self._nobody_answers(caller, queue, legs)
            ring_out -= 1 if legs else 0
            yield min(QUEUE_RETRY_SECONDS, max(0.0, gives_up - self.switch.at))

    def _ring_phones(self, caller: Channel, queue: Queue) -> list[Channel]:
        switch, legs = self.switch, []
        for extension in switch.free_members(queue):
            leg = switch.phone_leg(extension, caller)
            switch.members[extension].status = 6          # nobody else may ring it from now on
            switch.taken_turn(queue, extension)
            before = leg.exten, leg.peer_number, leg.peer_display
            leg.exten, leg.peer_number, leg.peer_display = caller.exten, caller.number, caller.display
            switch.queue_event("AgentCalled", caller, leg, queue.name)
            leg.exten, leg.peer_number, leg.peer_display = before
            switch.dial("DialBegin", caller, leg, f"DialString: PJSIP/{extension}\r\n")
            leg.exten = caller.exten
            legs.append(leg)
        if len(legs) == 1:                                # one phone: the caller is told whose
            switch.connected(caller, legs[0])
        return legs

    def _phones_ring(self, caller: Channel, legs: list[Channel]) -> Script:
        if not legs:
            return
        yield PHONE_ANSWERS_SIP
        for leg in legs:
            leg.peer_number, leg.peer_display = caller.number, caller.display
            self.switch.new_state(leg, RINGING)
            self.switch.connected(leg, caller)
            self.switch.phone_is(_extension(leg), 6)
            self.switch.dial("DialState", caller, leg, "DialStatus: RINGING\r\n")
            self._rung(leg)

    def _next_thing(self, legs: list[Channel], queue: Queue, gives_up: float, ring_out: int) -> tuple[Channel | None, float]:
        """Who will answer and in how long, or None and how long until the round or the caller's patience ends."""
        plan, left = self.plan, max(0.0, gives_up - self.switch.at)
        round_seconds = min(queue.ring_seconds if legs else QUEUE_RETRY_SECONDS, left)
        wanted = [leg for leg in legs if plan.answer_by in (None, _extension(leg))]
        if not wanted or ring_out > 0 or plan.answer_after >= min(left, 3600.0):
            return None, round_seconds
        winner = self.switch.random.choice(wanted)
        return (winner, plan.answer_after) if plan.answer_after < round_seconds else (None, round_seconds)

    def _obey(self, legs: list[Channel], winner: Channel | None) -> Channel | None:
        if self.order is None or self.order.verb != "answer":
            return None if self.order else winner
        order, self.order = self.order, None
        return next((leg for leg in legs if _extension(leg) == order.extension), None)

    def _hung_up(self) -> bool:
        return self.order is not None and self.order.verb == "hangup"

    def _answered_in_queue(self, caller: Channel, queue: Queue, legs: list[Channel], leg: Channel, entry: Entry) -> None:
        switch, losers = self.switch, [other for other in legs if other is not leg]
        rang = int(self.plan.answer_after)
        switch.new_state(leg, UP)
        switch.dial("DialEnd", caller, leg, "DialStatus: ANSWER\r\n")
        self._cancel(caller, losers)
        switch.connected(caller, leg)
        self._cancel(caller, losers)                      # a real switch says it twice
        switch.music(caller, False)
        switch.device(f"Queue:{queue.name}", "NOT_INUSE")
        switch.leaves(entry)
        held = int(switch.at - entry.joined)
        switch.queue_event("AgentConnect", caller, leg, queue.name, f"HoldTime: {held}\r\nRingTime: {rang}\r\n")
        switch.phone_is(_extension(leg), 2, 1)
        for loser in losers:
            self._leg_ends(loser, 26)

    def _cancel(self, caller: Channel, legs: list[Channel]) -> None:
        for leg in legs:
            self.switch.dial("DialEnd", caller, leg, "DialStatus: CANCEL\r\n")

    def _nobody_answers(self, caller: Channel, queue: Queue, legs: list[Channel]) -> None:
        switch = self.switch
        for leg in legs:
            switch.queue_event("AgentRingNoAnswer", caller, leg, queue.name, f"RingTime: {int(queue.ring_seconds * 1000)}\r\n")
            switch.dial("DialEnd", caller, leg, "DialStatus: NOANSWER\r\n")
        self._cancel(caller, legs)
        for leg in legs:
            self._leg_ends(leg, 0)
            switch.cdr(caller, leg, None, "NO ANSWER")

    def _abandons(self, caller: Channel, legs: list[Channel], entry: Entry) -> None:
        switch = self.switch
        switch.hangup_request(caller)
        switch.music(caller, False)
        self._cancel(caller, legs)
        self._cancel(caller, legs)
        for leg in legs:
            self._leg_ends(leg, 0)
        held = int(switch.at - entry.joined)
        switch.tell("QueueCallerAbandon", "agent", caller.headers(), (
            f"Queue: {entry.queue}\r\nPosition: {entry.position}\r\nOriginalPosition: {entry.position}\r\nHoldTime: {held}\r\n"))
        switch.leaves(entry)
        switch.abandoned[entry.queue] = switch.abandoned.get(entry.queue, 0) + 1
        for leg in legs:
            switch.cdr(caller, leg, caller.born, "NO ANSWER")
        switch.soft_hangup(caller)
        truth = self._truth
        truth.wait_seconds = switch.at - entry.joined
        self._ends(caller, 0, "abandoned", "caller")

    # talking

    def _talk(self, caller: Channel, leg: Channel, queue: Queue | None = None) -> Script:
        """Both talk until one hangs up; the call is over afterwards."""
        switch, truth = self.switch, self._truth
        bridge = switch.bridge(leg, caller)
        began = switch.at
        truth.talk_began = began if truth.talk_began is None else truth.talk_began
        yield self.plan.talk
        if self.order is not None and self.order.verb == "transfer":
            yield from self._passed_on(caller, leg, bridge, began, queue)
            return
        agent_first = self.order.extension == "agent" if self._hung_up() and self.order else self.plan.hangup_by == "agent"
        first, second = self._who_hangs_up(caller, leg, agent_first)
        truth.talk_seconds = self.heard_seconds = switch.at - began
        switch.hangup_request(first, None if queue else 16)
        if queue is not None:
            self._completes(caller, leg, queue, "agent" if agent_first else "caller")
        switch.leaves_bridge(first, 1)
        switch.soft_hangup(caller)
        switch.leaves_bridge(second, 0)
        switch.bridge_ends(bridge)
        self._leg_ends(leg, 16)
        switch.cdr(caller, leg, began, "ANSWERED")
        self._ends(caller, 16, "answered", self._side(agent_first))

    def _passed_on(self, caller: Channel, leg: Channel, bridge: str, began: float, queue: Queue | None) -> Script:
        """The agent passes the caller on and is free; the caller rings elsewhere."""
        switch, truth, order = self.switch, self._truth, self.order
        assert order is not None
        self.order, target = None, order.extension
        truth.talk_seconds = switch.at - began
        switch.tell("BlindTransfer", "call", "Result: Success\r\n", leg.headers("Transferer"), caller.headers("Transferee"),
                    f"BridgeUniqueid: {bridge}\r\nIsExternal: Yes\r\nContext: {caller.context}\r\nExtension: {target}\r\n")
        if queue is not None:
            self._completes(caller, leg, queue, "transfer")
        switch.leaves_bridge(caller, 1)
        switch.leaves_bridge(leg, 0)
        switch.bridge_ends(bridge)
        self._leg_ends(leg, 16)
        leg.state = DOWN
        yield from self._dial_phone(caller, target)

    def _who_hangs_up(self, caller: Channel, leg: Channel, agent_first: bool) -> tuple[Channel, Channel]:
        agent_is_caller = self._truth.direction == "outbound"
        return (caller, leg) if agent_first == agent_is_caller else (leg, caller)

    def _side(self, agent_first: bool) -> str:
        if self._truth.direction == "outbound":
            return "agent" if agent_first else "customer"
        return "agent" if agent_first else "caller"

    def _completes(self, caller: Channel, leg: Channel, queue: Queue, reason: str) -> None:
        switch, truth = self.switch, self._truth
        switch.queue_event("AgentComplete", caller, leg, queue.name, (
            f"HoldTime: {int(truth.wait_seconds or 0)}\r\nTalkTime: {int(truth.talk_seconds or 0)}\r\nReason: {reason}\r\n"))
        member = switch.members[_extension(leg)]
        member.calls_taken[queue.name] = member.calls_taken.get(queue.name, 0) + 1
        member.last_call = int(switch.at)
        switch.completed[queue.name] = switch.completed.get(queue.name, 0) + 1

    # one phone

    def _direct(self) -> Script:
        extension = self.plan.extension
        caller = self.switch.caller_arrives(self.plan.caller, self.switch.scenario.direct_prefix + extension)
        self._begin(caller, "inbound", caller.exten)
        self._record(caller)
        yield from self._dial_phone(caller, extension)

    def _internal(self) -> Script:
        switch, plan = self.switch, self.plan
        if switch.members[plan.extension].status != 1:
            return
        caller = switch.agent_picks_up_to_dial(plan.extension, plan.peer)
        self._begin(caller, "internal", plan.peer)
        switch.phone_is(plan.extension, 2)
        yield from self._dial_phone(caller, plan.peer)
        switch.phone_is(plan.extension, 1)

    def _dial_phone(self, caller: Channel, extension: str) -> Script:
        switch = self.switch
        caller.context, caller.exten, caller.application, caller.data = "internal", extension, "Dial", f"PJSIP/{extension},20,tT"
        member = switch.members.get(extension)
        in_use = member is not None and member.status != 1 and not self.plan.call_waiting
        busy = self.plan.kind == "direct-busy" or in_use
        leg = switch.phone_leg(extension, caller)
        leg.exten = extension
        switch.connected(leg, caller)
        switch.dial("DialBegin", caller, leg, f"DialString: {extension}\r\n")
        switch.connected(caller, leg)
        if busy:
            self._is_busy(caller, leg)
            return
        yield PHONE_ANSWERS_SIP
        switch.new_state(leg, RINGING)
        switch.phone_is(extension, 6)
        switch.dial("DialState", caller, leg, "DialStatus: RINGING\r\n")
        self._rung(leg)
        yield from self._phone_decides(caller, leg)

    def _phone_decides(self, caller: Channel, leg: Channel) -> Script:
        plan, kind = self.plan, self.plan.kind
        yield DIRECT_RING_SECONDS if kind == "direct-no-answer" else plan.answer_after
        told_to_answer = self.order is not None and self.order.verb == "answer"
        if self._hung_up() or (kind == "direct-cancelled" and not told_to_answer):
            self._caller_cancels(caller, leg)
        elif kind == "direct-no-answer" and not told_to_answer:
            self._rings_out(caller, leg)
        else:
            self.order = None
            self._picks_up(caller, leg)
            yield from self._talk(caller, leg)

    def _picks_up(self, caller: Channel, leg: Channel) -> None:
        switch = self.switch
        switch.new_state(leg, UP)
        leg.exten = ""
        switch.dial("DialEnd", caller, leg, "DialStatus: ANSWER\r\n")
        switch.new_state(caller, UP)
        if leg.device != "PJSIP/trunk":
            switch.phone_is(_extension(leg), 2)

    def _caller_cancels(self, caller: Channel, leg: Channel) -> None:
        switch = self.switch
        switch.hangup_request(caller, 127)
        switch.dial("DialEnd", caller, leg, "DialStatus: CANCEL\r\n")
        switch.soft_hangup(caller)
        self._leg_ends(leg, 127)
        switch.cdr(caller, leg, None, "NO ANSWER")
        self._ends(caller, 127, "abandoned", "caller")

    def _rings_out(self, caller: Channel, leg: Channel) -> None:
        switch = self.switch
        switch.dial("DialEnd", caller, leg, "DialStatus: NOANSWER\r\n")
        caller.exten = "s-NOANSWER"
        switch.soft_hangup(caller)
        self._leg_ends(leg, 0)
        switch.cdr(caller, leg, None, "NO ANSWER")
        self._ends(caller, 19, "no-answer", "pbx")

    def _is_busy(self, caller: Channel, leg: Channel) -> None:
        switch = self.switch
        switch.hangup_request(leg, 17)
        switch.dial("DialEnd", caller, leg, "DialStatus: BUSY\r\n")
        caller.exten = "s-BUSY"
        switch.new_state(caller, BUSY)
        switch.hangup(leg, 17)
        switch.hangup_request(caller, 17)
        switch.soft_hangup(caller)
        switch.cdr(caller, leg, None, "BUSY")
        self._ends(caller, 17, "busy", "pbx")

    # calling out

    def _outbound(self) -> Script:
        switch, plan = self.switch, self.plan
        number = plan.caller.number
        if number is None or not number.lstrip("+").isdigit() or switch.members[plan.extension].status != 1:
            return                                        # nobody dials a withheld number, or with a phone in use
        agent = switch.agent_picks_up_to_dial(plan.extension, number)
        truth = self._begin(agent, "outbound", number)
        truth.agent = plan.extension
        switch.new_caller_id(agent, switch.scenario.company_number)
        leg = self._trunk_leg(agent, number)
        yield 0.004
        switch.new_state(leg, RINGING)
        agent.priority, agent.application, agent.data = 2, "Dial", f"PJSIP/{number}@trunk,60,tT"
        switch.dial("DialBegin", agent, leg, f"DialString: {number}@trunk\r\n")
        switch.connected(agent, leg)
        switch.dial("DialState", agent, leg, "DialStatus: RINGING\r\n")
        switch.phone_is(plan.extension, 2)
        yield plan.answer_after
        if plan.kind == "outbound-busy":
            self._customer_busy(agent, leg)
        else:
            self._picks_up(agent, leg)
            yield from self._talk(agent, leg)
        switch.phone_is(plan.extension, 1)

    def _trunk_leg(self, agent: Channel, number: str) -> Channel:
        switch = self.switch
        leg = switch.trunk_leg(agent)
        leg.peer_number, leg.peer_display, leg.exten = agent.number, agent.display, number
        switch.new_caller_id(leg, number)
        switch.connected(leg, agent)
        self._record(leg)
        return leg

    def _customer_busy(self, agent: Channel, leg: Channel) -> None:
        switch = self.switch
        switch.hangup_request(leg, 17)
        switch.dial("DialEnd", agent, leg, "DialStatus: BUSY\r\n")
        switch.hangup(leg, 17)
        switch.soft_hangup(agent)
        switch.cdr(agent, leg, None, "BUSY")
        self._ends(agent, 17, "busy", "pbx")

    # the book

    @property
    def _truth(self) -> Truth:
        assert self.truth is not None
        return self.truth

    def _begin(self, first: Channel, direction: str, called: str) -> Truth:
        inside = direction != "inbound"
        caller = self.plan.caller
        number = self.plan.extension if inside else (None if first.number == UNKNOWN else first.number)
        name = self.switch.scenario.agent(self.plan.extension).name if inside else _as_heard(caller.name)
        self.truth = Truth(first.linkedid, direction, number, name, called, started_at=self.switch.at)
        return self.truth

    def _rung(self, leg: Channel) -> None:
        extension = _extension(leg)
        if extension not in self._truth.agents_rung:
            self._truth.agents_rung.append(extension)

    def _record(self, channel: Channel) -> None:
        if not self.plan.recorded:
            return
        day = datetime.fromtimestamp(self.switch.at, UTC)
        name = f"{self.switch.scenario.pbx}/{day:%Y/%m/%d}/{channel.uniqueid}.1.wav"
        self.switch.records(channel, name, 1)
        self._truth.recording, self._truth.recorded = name, True

    def _leg_ends(self, leg: Channel, cause: int) -> None:
        self.switch.hangup(leg, cause)
        if leg.device != "PJSIP/trunk":
            self.switch.phone_is(_extension(leg), 1)

    def _ends(self, first: Channel, cause: int, disposition: str, hangup_by: str | None) -> None:
        truth = self._truth
        truth.disposition, truth.hangup_by = disposition, hangup_by
        if disposition == "answered":
            answering = first.legs[-1] if truth.direction == "outbound" else self._answering(first)
            truth.answered_by = "customer" if truth.direction == "outbound" else _extension(answering)
        self.switch.hangup(first, cause)
        self.switch.device("PJSIP/trunk" if truth.direction == "inbound" else first.device, "NOT_INUSE")
        truth.ended_at = self.switch.at
        truth.total_seconds = self.switch.at - truth.started_at

    def _answering(self, first: Channel) -> Channel:
        return next(leg for leg in first.legs if leg.state == UP)


def _extension(leg: Channel) -> str:
    return leg.device.removeprefix("PJSIP/")


def _as_heard(name: str | None) -> str | None:
    """The name a listener should end with: cut as the switch cuts it, GBK bytes read as Chinese, one line."""
    if name is None:
        return None
    raw = name.encode("utf-8", "surrogateescape")[:NAME_BYTES]
    try:
        heard = raw.decode("utf-8")
    except UnicodeDecodeError:
        gbk = any("\udc80" <= letter <= "\udcff" for letter in name)
        heard = raw.decode("gb18030") if gbk else raw.decode("utf-8", "ignore")
    return "".join(letter if letter.isprintable() else " " for letter in heard)
