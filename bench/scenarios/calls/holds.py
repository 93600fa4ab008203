"""Calls that are held, by either side, once or twice."""

from lab import AGENTS, DID, scenario

from calls.frame import SUPPORT, outbound, reached, segment, span, truth, wait


@scenario("hold", "Queue, 1001 answers, holds for 3 s, goes on; the caller hangs up")
async def hold(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.hold()
    await lab.sleep(3)
    await leg.unhold()
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", wait_seconds=wait(caller, leg), hangup_by="caller",
                  holds=[{"agent": "1001", "seconds": 3.0}], segments=[segment("1001", leg)])]


@scenario("hold-hangup", "Queue, 1001 answers, holds; the caller hangs up on hold")
async def hold_hangup(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.hold()
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", hangup_by="caller",
                  holds=[{"agent": "1001", "seconds": 3.0}], segments=[segment("1001", leg)])]


@scenario("customer-holds", "Queue, 1001 answers; the caller's own phone holds for 3 s; 1001 hangs up")
async def customer_holds(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await caller.hold()
    await lab.sleep(3)
    await caller.unhold()
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", hangup_by="agent", segments=[segment("1001", leg)])]


@scenario("outbound-hold", "1002 dials a customer, holds twice; the customer hangs up on hold")
async def outbound_hold(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", customer)
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(2)
    await leg.unhold()
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(2)
    await out.bye()
    await leg.wait("ended", 5)
    return [lab.call(leg, direction="outbound", caller_number="1002", caller_name=AGENTS["1002"], called=customer, agent="1002",
                     answered_by="customer", disposition="answered", final_agent="1002", hangup_by="customer", agents_rung=None,
                     holds=[{"agent": "1002", "seconds": 2.0}, {"agent": "1002", "seconds": 2.0}],
                     segments=[{"agent": "1002", "seconds": span(leg.times["up"], leg.times["ended"])}],
                     _channel="PJSIP/1002-", _exten=customer)]


@scenario("second-line", "1001 has a caller on hold when a second caller comes straight to 1001; 1001 takes both in turn")
async def second_line(lab):
    one, two = lab.number(), lab.number()
    first, leg = await reached(lab, one, "+442079461001", "1001")
    await lab.sleep(1)
    second = await lab.inbound(two, "+442079461001")
    other = await lab.agent_call("1001", 2)
    await leg.hold()
    assert await other.wait("up", 10)
    await lab.sleep(2)
    await second.bye()
    await other.wait("ended", 5)
    await leg.unhold()
    await lab.sleep(2)
    await first.bye()
    await leg.wait("ended", 5)
    return [truth(lab, first, one, "+442079461001", "1001", agents_rung=["1001"], final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)]),
            truth(lab, second, two, "+442079461001", "1001", agents_rung=["1001"], final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", other)])]
