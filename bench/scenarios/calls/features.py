"""Calls that are passed on by the digits of features.conf."""

from lab import DID, answer_after, reject_with, scenario

from calls.frame import SUPPORT, reached, segment, span, truth, type_digits


@scenario("feature-blind", "Queue, 1001 answers, types ## 1004; 1004 answers")
async def feature_blind(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    await type_digits(leg, "##")
    await lab.sleep(1)
    await type_digits(leg, "1004")
    target = await lab.agent_call("1004", timeout=20)
    assert await target.wait("up", 10)
    await lab.sleep(3)
    await caller.bye()
    await target.wait("ended", 5)
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1001", "to": "1004", "answered": True}],
                  segments=[segment("1001", leg), segment("1004", target)])]


@scenario("feature-attended", "Queue, 1001 answers, types *2 1004, talks with 1004 and hangs up: joined")
async def feature_attended(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    await type_digits(leg, "*2")
    await lab.sleep(1)
    await type_digits(leg, "1004")
    target = await lab.agent_call("1004", timeout=20)
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await leg.bye()
    lab.mark("1001 hangs up: joined")
    await lab.sleep(3)
    await target.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="agent",
                  transfers=[{"type": "attended", "by": "1001", "to": "1004", "answered": True}],
                  segments=[segment("1001", leg), {"agent": "1004", "seconds": span(leg.times["ended"], target.times["ended"])}])]


@scenario("feature-attended-called-off", "Queue, 1001 types *2 1004, 1004 answers and hangs up: 1001 goes on with the caller")
async def feature_off(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    await type_digits(leg, "*2")
    await lab.sleep(1)
    await type_digits(leg, "1004")
    target = await lab.agent_call("1004", timeout=20)
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await target.bye()
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1001",
                  disposition="answered", hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("feature-blonde", "Queue, 1001 types *2 1004 and hangs up while 1004 rings; 1004 answers")
async def feature_blonde(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(4)
    await type_digits(leg, "*2")
    await lab.sleep(1)
    await type_digits(leg, "1004")
    target = await lab.agent_call("1004", timeout=20)
    await lab.sleep(1)
    await leg.bye()
    assert await target.wait("up", 10)
    await lab.sleep(3)
    await caller.bye()
    await target.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "attended", "by": "1001", "to": "1004", "answered": True}],
                  segments=[segment("1001", leg), segment("1004", target)])]


@scenario("feature-consult-busy", "Queue, 1001 types *2 1004, which is busy: 1001 goes on with the caller")
async def consult_busy(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = reject_with(486, "Busy Here")
    await type_digits(leg, "*2")
    await lab.sleep(1)
    await type_digits(leg, "1004")
    await lab.sleep(8)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", hangup_by="agent", segments=[segment("1001", leg)])]
