"""A caller waits in a queue, whose phones ring in rounds until one answers or the caller gives up."""

from collections.abc import Generator

from telephony.simulator.frames import RINGING, UP, Channel
from telephony.simulator.scenario import Queue
from telephony.simulator.scripts.book import Script, phone_of
from telephony.simulator.scripts.phones import PHONE_ANSWERS_SIP, Phones
from telephony.simulator.switch import Entry

QUEUE_RETRY_SECONDS = 1.0


class Queued(Phones):
    """A call to a queue."""

    def _queued(self) -> Script:
        switch, queue = self.switch, self.plan.queue
        assert queue is not None
        caller = switch.caller_arrives(self.plan.caller, queue.number)
        truth = self._begin(caller, "inbound", queue.number)
        truth.queue = queue.name
        caller.priority = 2
        switch.new_state(caller, UP)
        switch.announces(caller)
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
            self.switch.phone_is(phone_of(leg), 6)
            self.switch.dial("DialState", caller, leg, "DialStatus: RINGING\r\n")
            self._rung(leg)

    def _next_thing(self, legs: list[Channel], queue: Queue, gives_up: float, ring_out: int) -> tuple[Channel | None, float]:
        """Who will answer and in how long, or None and how long until the round or the caller's patience ends."""
        plan, left = self.plan, max(0.0, gives_up - self.switch.at)
        round_seconds = min(queue.ring_seconds if legs else QUEUE_RETRY_SECONDS, left)
        wanted = [leg for leg in legs if plan.answer_by in (None, phone_of(leg))]
        if not wanted or ring_out > 0 or plan.answer_after >= min(left, 3600.0):
            return None, round_seconds
        winner = self.switch.random.choice(wanted)
        return (winner, plan.answer_after) if plan.answer_after < round_seconds else (None, round_seconds)

    def _obey(self, legs: list[Channel], winner: Channel | None) -> Channel | None:
        if self.order is None or self.order.verb != "answer":
            return None if self.order else winner
        order, self.order = self.order, None
        return next((leg for leg in legs if phone_of(leg) == order.extension), None)

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
        switch.phone_is(phone_of(leg), 2, 1)
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
