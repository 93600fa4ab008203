"""Calls in the parking lot: fetched, given up, come back."""

from lab import DID, scenario

from calls.frame import reached, segment, truth


@scenario("park-fetch", "Queue, 1001 answers, REFER to 700: parked; 1002 dials 701 and has the caller")
async def park(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    assert await leg.refer("700") == 202
    await lab.sleep(3)
    space = next(m["ParkingSpace"] for m in await lab.ami.action(Action="ParkedCalls") if m.get("Event") == "ParkedCall")
    fetch = await lab.agents["1002"].dial(space)
    assert await fetch.wait("up", 10)
    lab.mark("1002 fetched " + space)
    await lab.sleep(3)
    await fetch.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1002",
                  disposition="transferred", hangup_by="agent",
                  transfers=[{"type": "park", "by": "1001", "to": "1002", "answered": True}],
                  segments=[segment("1001", leg), segment("1002", fetch)])]


@scenario("park-ami-fetch", "Queue, 1001 answers, AMI Park of the caller; 1004 dials 701 and has the caller, who hangs up")
async def park_ami(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    channel, other = await lab.channel(number), await lab.channel(name="PJSIP/1001-")
    await lab.ami.action(Action="Park", Channel=channel, TimeoutChannel=other, AnnounceChannel=other)
    await lab.sleep(3)
    await leg.bye()
    space = next(m["ParkingSpace"] for m in await lab.ami.action(Action="ParkedCalls") if m.get("Event") == "ParkedCall")
    fetch = await lab.agents["1004"].dial(space)
    assert await fetch.wait("up", 10)
    lab.mark("1004 fetched " + space)
    await lab.sleep(3)
    await caller.bye()
    await fetch.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "park", "by": "1001", "to": "1004", "answered": True}],
                  segments=[{"agent": "1001", "seconds": None}, segment("1004", fetch)])]


@scenario("park-abandoned", "Queue, 1001 answers, REFER to 700: parked; the caller hangs up in the lot")
async def park_abandoned(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.refer("700")
    await lab.sleep(4)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent=None,
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "park", "by": "1001", "to": None, "answered": False}],
                  segments=[segment("1001", leg)])]


@scenario("park-comes-back", "Queue, 1001 parks the caller, nobody fetches for 30 s: 1001 rings and answers")
async def park_back(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.refer("700")
    again = await lab.agent_call("1001", 2, 45)
    assert await again.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await again.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1001",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "park", "by": "1001", "to": "1001", "answered": True}],
                  segments=[segment("1001", leg), segment("1001", again)])]
