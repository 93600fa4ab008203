"""A call that begins with an order: the own phone rings first, and then the number, or a colleague's talk is heard."""

from collections.abc import Mapping

from telephony.simulator.frames import RINGING, UP, Channel
from telephony.simulator.plan import Plan
from telephony.simulator.scripts import Call, Script
from telephony.simulator.switch import Switch

PICKS_UP = 2.5   # seconds until whoever ordered it takes the receiver
LOOKS_AGAIN = 0.5
SPIES = "ordered-spy"


class Ordered(Call):
    """What Originate begins; `action` is what was asked."""

    def __init__(self, switch: Switch, plan: Plan, action: Mapping[str, str]) -> None:
        super().__init__(switch, plan)
        self._action = action

    def play(self) -> Script:
        """The own phone rings and is picked up; then the number rings, or somebody is listened to."""
        switch, plan = self.switch, self.plan
        own = switch.ordered_leg(plan.extension, self._action.get("channelid", ""), self._action.get("context", "internal"))
        self._begin(own, "internal" if plan.kind == SPIES else "outbound", str(plan.caller.number)).agent = plan.extension
        yield from self._own_phone(own)
        if self._hung_up():
            self._refused(own)
            return
        switch.new_state(own, UP)
        self._dial("DialEnd", own, "DialStatus: ANSWER\r\n")
        switch.phone_is(plan.extension, 2)
        self._responds(own, "Success", 4)
        own.exten, own.priority = str(plan.caller.number), 1
        if plan.kind == SPIES:
            yield from self._listens(own)
        elif plan.caller.number in switch.members:
            yield from self._dial_phone(own, plan.caller.number)
        else:
            yield from self._customer(own)
        switch.phone_is(plan.extension, 1)

    def _own_phone(self, own: Channel) -> Script:
        switch = self.switch
        switch.new_caller_id(own, str(self.plan.caller.number))
        self._dial("DialBegin", own, f"DialString: {self.plan.extension}\r\n")
        yield 0.002
        switch.new_state(own, RINGING)
        switch.phone_is(self.plan.extension, 6)
        self._dial("DialState", own, "DialStatus: RINGING\r\n")
        yield PICKS_UP

    def _dial(self, event: str, own: Channel, line: str) -> None:
        """A leg that nobody dialled has only a destination."""
        self.switch.tell(event, "call", own.headers("Dest"), line)

    def _responds(self, own: Channel, word: str, reason: int) -> None:
        action_id = f"ActionID: {self._action['actionid']}\r\n" if "actionid" in self._action else ""
        self.switch.tell("OriginateResponse", "call", action_id, (
            f"Response: {word}\r\nChannel: {own.name}\r\nContext: {own.context}\r\nExten: {self.plan.caller.number}\r\n"
            f"Reason: {reason}\r\nUniqueid: {own.uniqueid}\r\nCallerIDNum: {own.number}\r\nCallerIDName: {own.display}\r\n"))

    def _refused(self, own: Channel) -> None:
        self.order = None
        self._dial("DialEnd", own, "DialStatus: NOANSWER\r\n")
        self._responds(own, "Failure", 3)
        self.switch.phone_is(self.plan.extension, 1)
        self._ends(own, 19, "no-answer", None)

    def _customer(self, own: Channel) -> Script:
        switch, number = self.switch, str(self.plan.caller.number)
        switch.new_caller_id(own, switch.scenario.company_number)
        leg = self._trunk_leg(own, number)
        yield 0.004
        switch.new_state(leg, RINGING)
        own.application, own.data = "Dial", f"PJSIP/{number}@trunk,60,tT"
        switch.dial("DialBegin", own, leg, f"DialString: {number}@trunk\r\n")
        switch.connected(own, leg)
        switch.dial("DialState", own, leg, "DialStatus: RINGING\r\n")
        yield self.plan.answer_after
        if self._hung_up():
            self.order = None
            switch.dial("DialEnd", own, leg, "DialStatus: CANCEL\r\n")
            switch.hangup(leg, 127)
            self._ends(own, 127, "abandoned", "agent")
            return
        self._picks_up(own, leg)
        yield from self._talk(own, leg)

    def _listens(self, own: Channel) -> Script:
        """The own phone hears the other one for as long as that one talks."""
        switch, target = self.switch, f"PJSIP/{self.plan.peer}"
        own.application, own.data = "ChanSpy", f"{target}-,qES"
        heard = next((one for one in switch.channels.values() if one.device == target and one.state == UP), None)
        if heard is not None:
            switch.tell("ChanSpyStart", "call", own.headers("Spyer"), heard.headers("Spyee"))
        while not self._hung_up() and any(c.device == target and c.state == UP for c in switch.channels.values()):
            yield LOOKS_AGAIN
        self.order = None
        switch.soft_hangup(own)
        self._ends(own, 16, "answered", "agent")

    def _ends(self, first: Channel, cause: int, disposition: str, hangup_by: str | None) -> None:
        if not first.legs and disposition == "answered" and self.plan.kind != SPIES:  # nobody but the own phone was in it
            disposition = "no-answer"
        super()._ends(first, cause, disposition, hangup_by)
