"""One phone is dialled: it answers, is busy, rings out, or the caller cancels."""

from telephony.simulator.frames import BUSY, RINGING, UP, Channel
from telephony.simulator.scripts.book import Script, phone_of
from telephony.simulator.scripts.talking import Talking

PHONE_ANSWERS_SIP = 0.0015             # between the INVITE and the phone's 180
DIRECT_RING_SECONDS = 20.0


class Phones(Talking):
    """A call to one phone, from outside or from a colleague."""

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
            switch.phone_is(phone_of(leg), 2)

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
