"""Calls that are passed on by REFER, to a phone or a queue."""

from lab import DID, answer_after, reject_with, ring_forever, scenario

from calls.frame import reached, segment, truth, wait


@scenario("refer-blind", "Queue, 1001 answers, REFER to 1004, who answers; the caller hangs up")
async def refer_blind(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001", "Ruth Refer")
    await lab.sleep(3)
    lab.agents["1004"].behaviour = answer_after(2)
    assert await leg.refer("1004") == 202
    lab.mark("1001 refers to 1004")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(3)
    await caller.bye()
    await target.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", caller_name="Ruth Refer", queue="support", agents_rung=None,
                  final_agent="1004", disposition="transferred", wait_seconds=wait(caller, leg), hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1001", "to": "1004", "answered": True}],
                  segments=[segment("1001", leg), segment("1004", target)])]


@scenario("refer-blind-unanswered", "Queue, 1001 answers, REFER to 1004, who does not answer; the PBX gives up")
async def refer_unanswered(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = ring_forever
    await leg.refer("1004")
    await caller.wait("ended", 30)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent=None,
                  disposition="transferred", wait_seconds=wait(caller, leg), hangup_by="pbx",
                  transfers=[{"type": "blind", "by": "1001", "to": "1004", "answered": False}],
                  segments=[segment("1001", leg)])]


@scenario("refer-blind-busy", "Queue, 1002 answers, REFER to 1004, which is busy")
async def refer_busy(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1002")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = reject_with(486, "Busy Here")
    await leg.refer("1004")
    await caller.wait("ended", 30)
    return [truth(lab, caller, number, DID["support"], "1002", queue="support", agents_rung=None, final_agent=None,
                  disposition="transferred", hangup_by="pbx",
                  transfers=[{"type": "blind", "by": "1002", "to": "1004", "answered": False}],
                  segments=[segment("1002", leg)])]


@scenario("refer-blind-to-queue", "Queue support, 1001 answers, REFER to queue sales (2001), 1002 answers there")
async def refer_queue(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1002"].behaviour = lab.agents["1001"].behaviour = answer_after(60)
    before = len(lab.agents["1002"].history)
    lab.agents["1002"].behaviour = answer_after(1.5)
    await leg.refer("2001")
    target = await lab.agent_call("1002", before + 1, 30)
    assert await target.wait("up", 10)
    await lab.sleep(3)
    await target.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1002",
                  disposition="transferred", wait_seconds=wait(caller, leg), hangup_by="agent",
                  transfers=[{"type": "blind", "by": "1001", "to": "2001", "answered": True}],
                  segments=[segment("1001", leg), segment("1002", target)])]


@scenario("refer-queue-abandoned", "Queue support, 1001 answers, REFER to queue 2001, where the caller gives up")
async def refer_queue_abandoned(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1002"].behaviour = lab.agents["1001"].behaviour = ring_forever
    await leg.refer("2001")
    await lab.sleep(4)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent=None,
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1001", "to": "2001", "answered": False}],
                  segments=[segment("1001", leg)])]


@scenario("refer-twice", "Queue, 1001 -> REFER 1004 -> REFER 1002; the last hangs up")
async def refer_twice(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1)
    await leg.refer("1004")
    second = await lab.agent_call("1004")
    assert await second.wait("up", 10)
    await lab.sleep(2)
    before = len(lab.agents["1002"].history)
    lab.agents["1002"].behaviour = answer_after(1)
    await second.refer("1002")
    third = await lab.agent_call("1002", before + 1)
    assert await third.wait("up", 10)
    await lab.sleep(2)
    await third.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1002",
                  disposition="transferred", hangup_by="agent",
                  transfers=[{"type": "blind", "by": "1001", "to": "1004", "answered": True},
                             {"type": "blind", "by": "1004", "to": "1002", "answered": True}],
                  segments=[segment("1001", leg), segment("1004", second), segment("1002", third)])]


@scenario("refer-local-members", "Queue of Local members, 1002 answers, REFER to 1004")
async def refer_local(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["local"], "1002")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    status = await leg.refer("1004")
    lab.mark(f"REFER: {status}")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await target.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1002", queue="local", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1002", "to": "1004", "answered": True}],
                  segments=[segment("1002", leg), segment("1004", target)])]


@scenario("refer-external", "Queue, 1001 answers, REFER to a customer's mobile outside, which answers; the mobile hangs up")
async def refer_external(lab):
    number, mobile = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.trunk.behaviour = answer_after(1.5)
    before = len(lab.trunk.history)
    await leg.refer(mobile)
    for _ in range(100):
        await lab.sleep(0.1)
        if len(lab.trunk.history) > before and "up" in lab.trunk.history[before].times:
            break
    out = lab.trunk.history[before]
    await lab.sleep(2)
    await out.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None,
                  disposition="transferred", wait_seconds=wait(caller, leg),
                  transfers=[{"type": "blind", "by": "1001", "to": mobile, "answered": True}], segments=None)]


@scenario("refer-same-queue", "Queue support, 1001 answers, REFER to 2000 (support again), 1001 answers again after wrap-up")
async def refer_same(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    lab.agents["1002"].behaviour = lab.agents["1003"].behaviour = ring_forever
    await lab.sleep(2)
    await leg.refer("2000")
    again = await lab.agent_call("1001", 2, 40)
    assert await again.wait("up", 20)
    await lab.sleep(2)
    await caller.bye()
    await again.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1001",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1001", "to": "2000", "answered": True}],
                  segments=[segment("1001", leg), segment("1001", again)])]


@scenario("no-agents-answer-then-refer", "Queue not answered by the PBX, 1003 answers and REFERs to 1004")
async def unanswered_refer(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["unanswered"], "1003")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1)
    await leg.refer("1004")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await target.wait("ended", 5)
    return [truth(lab, caller, number, DID["unanswered"], "1003", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1003", "to": "1004", "answered": True}],
                  segments=[segment("1003", leg), segment("1004", target)])]
