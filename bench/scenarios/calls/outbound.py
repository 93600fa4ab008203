"""Calls to a customer, and between our own phones."""

from lab import AGENTS, answer_after, reject_with, ring_forever, scenario

from calls.frame import attended, outbound, segment, span


@scenario("outbound-refer", "1002 dials a customer, who answers; REFER to 1004, who answers; the customer hangs up")
async def outbound_refer(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", customer)
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    await leg.refer("1004")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await out.bye()
    await target.wait("ended", 5)
    return [lab.call(leg, direction="outbound", caller_number="1002", caller_name=AGENTS["1002"], called=customer, agent="1002",
                     answered_by="customer", disposition="transferred", final_agent="1004", hangup_by="customer", agents_rung=None,
                     total_seconds=None, transfers=[{"type": "blind", "by": "1002", "to": "1004", "answered": True}],
                     segments=[{"agent": "1002", "seconds": span(leg.times["up"], leg.times["ended"])}, segment("1004", target)],
                     _channel="PJSIP/1002-", _exten=customer)]


@scenario("outbound-attended", "1002 dials a customer, holds, calls 1004, joins both; the customer hangs up")
async def outbound_attended(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", customer)
    await lab.sleep(2)
    other, _consult = await attended(lab, leg, leg, "1002")
    await lab.sleep(2)
    await out.bye()
    await other.wait("ended", 5)
    return [lab.call(leg, direction="outbound", caller_number="1002", caller_name=AGENTS["1002"], called=customer, agent="1002",
                     answered_by="customer", disposition="transferred", final_agent="1004", hangup_by="customer", agents_rung=None,
                     total_seconds=None, transfers=[{"type": "attended", "by": "1002", "to": "1004", "answered": True}],
                     segments=[{"agent": "1002", "seconds": span(leg.times["up"], leg.times["ended"])},
                               {"agent": "1004", "seconds": span(leg.times["ended"], other.times["ended"])}],
                     _channel="PJSIP/1002-", _exten=customer)]


@scenario("click-hold-refer", "Click to call: 1001, then the customer; hold; REFER to 1004; 1004 hangs up")
async def click_refer(lab):
    customer = lab.number()
    lab.agents["1001"].behaviour = answer_after(1)
    lab.trunk.behaviour = answer_after(1.5)
    await lab.ami.action(Action="Originate", Channel="PJSIP/1001", Context="internal", Exten=customer, Priority="1",
                         CallerID=f'"Click to call" <{customer}>', Timeout="15000", Async="true")
    leg = await lab.agent_call("1001")
    assert await leg.wait("up", 10)
    for _ in range(100):
        if lab.trunk.history and "up" in lab.trunk.history[0].times:
            break
        await lab.sleep(0.1)
    out = lab.trunk.history[0]
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    await leg.refer("1004")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await target.bye()
    await out.wait("ended", 5)
    return [lab.call(leg, direction="outbound", caller_number="1001", caller_name=AGENTS["1001"], called=customer, agent="1001",
                     answered_by="customer", disposition="transferred", final_agent="1004", hangup_by="agent", agents_rung=None,
                     total_seconds=None, transfers=[{"type": "blind", "by": "1001", "to": "1004", "answered": True}],
                     segments=[{"agent": "1001", "seconds": span(out.times["up"], leg.times["ended"])}, segment("1004", target)],
                     _channel="PJSIP/1001-")]


@scenario("outbound-cancelled", "1002 dials a customer and hangs up before the answer")
async def outbound_cancelled(lab):
    customer = lab.number()
    lab.trunk.behaviour = ring_forever
    leg = await lab.agents["1002"].dial(customer)
    await lab.sleep(4)
    await leg.cancel()
    return [lab.call(leg, direction="outbound", caller_number="1002", caller_name=AGENTS["1002"], called=customer, agent="1002",
                     answered_by=None, disposition="abandoned", hangup_by="agent", _channel="PJSIP/1002-", _exten=customer)]


@scenario("internal-refer", "1001 calls 1002, who answers and REFERs to 1004, who answers; 1001 hangs up")
async def internal_refer(lab):
    lab.agents["1002"].behaviour = answer_after(1.5)
    caller = await lab.agents["1001"].dial("1002")
    assert await caller.wait("up", 10)
    leg = lab.agents["1002"].history[0]
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    await leg.refer("1004")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await target.wait("ended", 5)
    return [lab.call(caller, direction="internal", caller_number="1001", caller_name=AGENTS["1001"], called="1002",
                     agents_rung=None, answered_by="1002", disposition="transferred", final_agent="1004", hangup_by="caller",
                     transfers=[{"type": "blind", "by": "1002", "to": "1004", "answered": True}],
                     segments=[segment("1002", leg), segment("1004", target)], _channel="PJSIP/1001-", _exten="1002")]


@scenario("outbound-rejected", "1002 dials a customer, who answers 603")
async def outbound_rejected(lab):
    customer = lab.number()
    lab.trunk.behaviour = reject_with(603, "Decline", 2)
    leg = await lab.agents["1002"].dial(customer)
    await leg.wait("ended", 20)
    return [lab.call(leg, direction="outbound", caller_number="1002", caller_name=AGENTS["1002"], called=customer, agent="1002",
                     answered_by=None, disposition="rejected", hangup_by="pbx", _channel="PJSIP/1002-", _exten=customer)]


@scenario("internal-attended", "1001 calls 1002, holds, calls 1004, joins both; 1002 hangs up")
async def internal_attended(lab):
    lab.agents["1002"].behaviour = answer_after(1)
    caller = await lab.agents["1001"].dial("1002")
    assert await caller.wait("up", 10)
    leg = lab.agents["1002"].history[-1]
    await lab.sleep(1)
    other, _consult = await attended(lab, caller, caller, "1001")
    await lab.sleep(2)
    await leg.bye()
    await other.wait("ended", 5)
    return [lab.call(caller, direction="internal", caller_number="1001", caller_name=AGENTS["1001"], called="1002", total_seconds=None,
                     agents_rung=None, answered_by="1002", disposition="transferred", final_agent="1004",
                     transfers=[{"type": "attended", "by": "1001", "to": "1004", "answered": True}],
                     _channel="PJSIP/1001-", _exten="1002")]
