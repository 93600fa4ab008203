"""An agent dials a customer, who answers or is busy."""

from telephony.simulator.frames import RINGING, Channel
from telephony.simulator.scripts.book import Script
from telephony.simulator.scripts.phones import Phones


class Outbound(Phones):
    """A call to a customer."""

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
