"""Both sides talk until one hangs up, or the agent passes the caller on."""

from telephony.simulator.frames import DOWN, Channel
from telephony.simulator.scenario import Queue
from telephony.simulator.scripts.book import Book, Script, phone_of


class Talking(Book):
    """A call whose sides hear each other."""

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
        member = switch.members[phone_of(leg)]
        member.calls_taken[queue.name] = member.calls_taken.get(queue.name, 0) + 1
        member.last_call = int(switch.at)
        switch.completed[queue.name] = switch.completed.get(queue.name, 0) + 1

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

    def _dial_phone(self, caller: Channel, target: str) -> Script:
        """The caller rings there; how that goes is told by who has phones."""
        raise NotImplementedError
