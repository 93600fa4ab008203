"""Calls in a conference."""

from lab import DID, scenario

from calls.frame import reached, segment, truth


@scenario("conference", "A caller and 1001 and 1002 meet in conference 8001")
async def conference(lab):
    number = lab.number()
    caller = await lab.inbound(number, DID["conference"])
    assert await caller.wait("up", 10)
    one = await lab.agents["1001"].dial("8001")
    await one.wait("up", 10)
    await lab.sleep(1)
    two = await lab.agents["1002"].dial("8001")
    await two.wait("up", 10)
    await lab.sleep(3)
    await caller.bye()
    await lab.sleep(1)
    await one.bye()
    await two.bye()
    return [lab.call(caller, caller_number=number, called=DID["conference"], disposition="conference", conference="8001",
                     hangup_by="caller"),
            lab.call(one, direction="internal", caller_number="1001", called="8001", disposition="conference",
                     conference="8001", hangup_by="caller", _channel="PJSIP/1001-"),
            lab.call(two, direction="internal", caller_number="1002", called="8001", disposition="conference",
                     conference="8001", hangup_by="caller", _channel="PJSIP/1002-")]


@scenario("refer-conference", "Queue, 1001 answers, REFER to conference 8001, where 1002 waits")
async def refer_conference(lab):
    two = await lab.agents["1002"].dial("8001")
    await two.wait("up", 10)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.refer("8001")
    await lab.sleep(4)
    await caller.bye()
    await lab.sleep(1)
    await two.bye()
    return [lab.call(two, direction="internal", caller_number="1002", called="8001", disposition="conference",
                     conference="8001", hangup_by="caller", _channel="PJSIP/1002-"),
            truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None,
                  disposition="transferred", hangup_by="caller", conference="8001",
                  transfers=[{"type": "blind", "by": "1001", "to": "8001", "answered": None}],
                  segments=[segment("1001", leg)])]
