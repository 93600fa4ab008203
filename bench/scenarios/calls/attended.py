"""Calls that are joined after a consultation, and consultations that come to nothing."""

from lab import DID, answer_after, ring_forever, scenario

from calls.frame import SUPPORT, attended, reached, segment, span, truth, wait


@scenario("refer-replaces", "Queue, 1001 answers, holds, calls 1004, joins both; 1004 hangs up")
async def refer_replaces(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001", "Atta Attended")
    await lab.sleep(2)
    other, _consult = await attended(lab, caller, leg, "1001")
    await lab.sleep(3)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", caller_name="Atta Attended", queue="support",
                  agents_rung=None, final_agent="1004", disposition="transferred", wait_seconds=wait(caller, leg),
                  hangup_by="agent", transfers=[{"type": "attended", "by": "1001", "to": "1004", "answered": True}],
                  segments=[segment("1001", leg), {"agent": "1004", "seconds": span(leg.times["ended"], other.times["ended"])}])]


@scenario("refer-replaces-local", "Queue of Local members, 1002 answers, holds, calls 1004, joins both; the caller hangs up")
async def refer_replaces_local(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["local"], "1002")
    await lab.sleep(2)
    other, _consult = await attended(lab, caller, leg, "1002")
    await lab.sleep(3)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1002", queue="local", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "attended", "by": "1002", "to": "1004", "answered": True}],
                  segments=[segment("1002", leg), {"agent": "1004", "seconds": span(leg.times["ended"], other.times["ended"])}])]


@scenario("consult-called-off", "Queue, 1001 answers, holds, calls 1004, they talk and part; 1001 goes on with the caller")
async def consult_off(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.hold()
    lab.agents["1004"].behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial("1004")
    assert await consult.wait("up", 10)
    other = await lab.agent_call("1004")
    await lab.sleep(2)
    await consult.bye()
    await other.wait("ended", 5)
    await leg.unhold()
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", wait_seconds=wait(caller, leg), hangup_by="caller", segments=[segment("1001", leg)]),
            lab.call(consult, direction="internal", caller_number="1001", called="1004", role="consultation",
                     agents_rung=["1004"], answered_by="1004", disposition="answered", hangup_by="caller",
                     _channel="PJSIP/1001-", _exten="1004")]


@scenario("consult-unanswered", "Queue, 1001 answers, holds, calls 1004, who does not answer; 1001 goes on with the caller")
async def consult_unanswered(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1004"].behaviour = ring_forever
    consult = await lab.agents["1001"].dial("1004")
    await lab.sleep(3)
    await consult.cancel()
    await leg.unhold()
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", hangup_by="agent", segments=[segment("1001", leg)]),
            lab.call(consult, direction="internal", caller_number="1001", called="1004", role="consultation",
                     agents_rung=["1004"], answered_by=None, disposition="abandoned", hangup_by="caller",
                     _channel="PJSIP/1001-", _exten="1004")]


@scenario("consult-external-attended", "Queue, 1001 holds, dials outside, joins both; the caller hangs up")
async def consult_external(lab):
    number, mobile = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.trunk.behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial(mobile)
    assert await consult.wait("up", 10)
    await lab.sleep(2)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(2)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None,
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "attended", "by": "1001", "to": mobile, "answered": True}], segments=None)]


@scenario("consult-external-off", "Queue, 1001 holds, dials outside, talks, hangs up there, goes on with the caller")
async def consult_external_off(lab):
    number, mobile = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.trunk.behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial(mobile)
    assert await consult.wait("up", 10)
    await lab.sleep(2)
    await consult.bye()
    await leg.unhold()
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1001",
                  disposition="answered", hangup_by="caller", segments=[segment("1001", leg)]),
            lab.call(consult, direction="outbound", caller_number="1001", called=mobile, role="consultation", agents_rung=None,
                     answered_by="customer", disposition="answered", hangup_by="agent", _channel="PJSIP/1001-", _exten=mobile)]


@scenario("attended-queue", "Queue, 1001 holds, dials queue 2001, 1002 answers there, 1001 joins both")
async def attended_queue(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1001"].behaviour = ring_forever
    before = len(lab.agents["1002"].history)
    lab.agents["1002"].behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial("2001")
    other = await lab.agent_call("1002", before + 1, 30)
    assert await other.wait("up", 20)
    await lab.sleep(2)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1002",
                  disposition="transferred", hangup_by="agent",
                  transfers=[{"type": "attended", "by": "1001", "to": "2001", "answered": True}],
                  segments=[segment("1001", leg), {"agent": "1002", "seconds": span(leg.times["ended"], other.times["ended"])}])]
