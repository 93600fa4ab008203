"""Calls that are passed on, parked, held, joined and cut: what an everyday call centre does beside the plain call.

Played by a lab of a real Asterisk with phones (a `lab` module with `scenario`, `Lab.inbound`, `Lab.agents`, `Lab.ami`); the
truth comes from the phones' own clocks. What was recorded is in tests/telephony/captures/further-*; LAB_RUN names the lab's
script that starts and stops the switch.
"""
import asyncio
import os
import subprocess

from ami import Capture, Control
from lab import AGENTS, DID, answer_after, reject_with, ring_forever, scenario

RUN = os.environ.get("LAB_RUN", "run")
SUPPORT = ["1001", "1002", "1003"]


async def reached(lab, number, did, agent, name=None, ring=1.5):
    """Inbound; `agent` has answered. Returns (caller, leg)."""
    lab.agents[agent].behaviour = answer_after(ring)
    caller = await lab.inbound(number, did, name)
    leg = await lab.agent_call(agent)
    assert await leg.wait("up", 20)
    lab.mark(agent + " answered")
    return caller, leg


def span(a, b):
    return round(b - a, 2)


def segment(agent, leg, end=None):
    return {"agent": agent, "seconds": span(leg.times["up"], end or leg.times["ended"])}


def truth(lab, caller, number, did, first, **facts):
    base = {"caller_number": number, "called": did, "answered_by": first}
    base.update(facts)
    return lab.call(caller, **base)


def wait(caller, leg):
    return span(caller.times.get("up", caller.times["new"]), leg.times["up"])


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


async def attended(lab, caller, leg, agent, target="1004", talk=2.0):
    """`agent` holds, dials the target as a call of its own and joins both; returns (target leg, consultation)."""
    await leg.hold()
    lab.mark(agent + " holds")
    lab.agents[target].behaviour = answer_after(1)
    before = len(lab.agents[target].history)
    consult = await lab.agents[agent].dial(target)
    assert await consult.wait("up", 10)
    other = await lab.agent_call(target, before + 1)
    await lab.sleep(talk)
    assert await leg.refer_to_call(consult) == 202
    lab.mark(f"{agent} joins caller and {target}")
    return other, consult


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


async def type_digits(leg, digits):
    leg.dtmf(digits)
    while leg.rtp.pending_dtmf:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)


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


@scenario("ami-atxfer", "Queue, 1002 answers; AMI Atxfer to 1004, who answers; 1002 hangs up: joined")
async def ami_atxfer(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1002")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    channel = await lab.channel(name="PJSIP/1002-")
    await lab.ami.action(Action="Atxfer", Channel=channel, Exten="1004", Context="internal")
    target = await lab.agent_call("1004", timeout=20)
    assert await target.wait("up", 10)
    await lab.sleep(2)
    await leg.bye()
    await lab.sleep(3)
    await caller.bye()
    await target.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1002", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "attended", "by": "1002", "to": "1004", "answered": True}],
                  segments=[segment("1002", leg), {"agent": "1004", "seconds": span(leg.times["ended"], target.times["ended"])}])]


@scenario("ami-redirect", "Queue, 1001 answers; AMI Redirect of the caller to 1004, who answers")
async def ami_redirect(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(1.5)
    channel = await lab.channel(number)
    await lab.ami.action(Action="Redirect", Channel=channel, Context="internal", Exten="1004", Priority="1")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(3)
    await target.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="agent",
                  transfers=[{"type": "blind", "by": "1001", "to": "1004", "answered": True}],
                  segments=[segment("1001", leg), segment("1004", target)])]


@scenario("ami-redirect-queue", "Direct call to 1004, answered; AMI Redirect of the caller to queue 2001, the caller gives up")
async def ami_redirect_queue(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, "+442079461004", "1004")
    await lab.sleep(2)
    lab.agents["1001"].behaviour = lab.agents["1002"].behaviour = ring_forever
    channel = await lab.channel(number)
    await lab.ami.action(Action="Redirect", Channel=channel, Context="internal", Exten="2001", Priority="1")
    await lab.sleep(4)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, "+442079461004", "1004", queue="sales", agents_rung=None, final_agent=None,
                  disposition="transferred", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1004", "to": "2001", "answered": False}],
                  segments=[segment("1004", leg)])]


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


@scenario("queue-timeout-voicemail", "Queue short gives up after 8 s, the caller speaks to mailbox 2000")
async def queue_voicemail(lab):
    number = lab.number()
    caller = await lab.inbound(number, DID["short"], "Vera Voicemail")
    assert await caller.wait("up", 10)
    await lab.sleep(15)
    await caller.bye()
    return [lab.call(caller, caller_number=number, caller_name="Vera Voicemail", called=DID["short"], queue="short",
                     agents_rung=["1004"], disposition="voicemail", mailbox="2000", hangup_by="caller")]


@scenario("queue-exit-key", "Queue exit, the caller presses 1 and speaks to mailbox 2000")
async def queue_key(lab):
    number = lab.number()
    caller = await lab.inbound(number, DID["exit"])
    assert await caller.wait("up", 10)
    await lab.sleep(3)
    await type_digits(caller, "1")
    await lab.sleep(6)
    await caller.bye()
    return [lab.call(caller, caller_number=number, called=DID["exit"], queue="exit", agents_rung=["1004"],
                     disposition="voicemail", mailbox="2000", hangup_by="caller")]


@scenario("refer-voicemail", "Queue, 1001 answers, REFER to 91002, who does not answer: mailbox 1002")
async def refer_voicemail(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1002"].behaviour = ring_forever
    await leg.refer("91002")
    await lab.sleep(14)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent=None,
                  disposition="transferred", mailbox="1002", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1001", "to": "91002", "answered": False}],
                  segments=[segment("1001", leg)])]


@scenario("internal-voicemail", "1001 dials 91002, no answer, speaks to mailbox 1002")
async def internal_voicemail(lab):
    lab.agents["1002"].behaviour = ring_forever
    caller = await lab.agents["1001"].dial("91002")
    await caller.wait("up", 15)
    await lab.sleep(6)
    await caller.bye()
    return [lab.call(caller, direction="internal", caller_number="1001", called="91002", agents_rung=["1002"],
                     disposition="voicemail", mailbox="1002", hangup_by="caller", _channel="PJSIP/1001-", _exten="91002")]


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


@scenario("agents-change", "1001 is paused, 1004 logs in to support by *45; 1004 answers, logs out by *46")
async def agents_change(lab):
    login = await lab.agents["1004"].dial("*45")
    await login.wait("ended", 10)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1001", Paused="true", Reason="lunch")
    number = lab.number()
    lab.agents["1004"].history.clear()
    caller, leg = await reached(lab, number, DID["support"], "1004")
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1001", Paused="false")
    logout = await lab.agents["1004"].dial("*46")
    await logout.wait("ended", 10)
    return [lab.call(login, direction="internal", caller_number="1004", called="*45", _channel="PJSIP/1004-", _exten="*45"),
            truth(lab, caller, number, DID["support"], "1004", queue="support", agents_rung=["1002", "1003", "1004"],
                  final_agent="1004", disposition="answered", hangup_by="caller", segments=[segment("1004", leg)]),
            lab.call(logout, direction="internal", caller_number="1004", called="*46", _channel="PJSIP/1004-", _exten="*46")]


async def recapture(lab, n):
    path = lab.out / f"{lab.path.stem}.{n}.ami"
    lab.capture = await Capture(path, lab.user).start()
    lab.extra_files.append(path)
    for action in ("CoreShowChannels", "QueueStatus"):
        lab.capture.send(Action=action)
    await asyncio.sleep(0.3)


@scenario("ami-cut", "The AMI link is cut while 1001 talks and comes back; the caller hangs up after it", own_capture=True)
async def ami_cut(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await lab.capture.stop()
    await lab.sleep(3)
    await recapture(lab, 2)
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", wait_seconds=wait(caller, leg), hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("ami-cut-answer", "The AMI link is cut while phones ring; 1001 answers in the gap; the caller hangs up after it", own_capture=True)
async def ami_cut_answer(lab):
    await recapture(lab, 1)
    number = lab.number()
    lab.agents["1001"].behaviour = answer_after(4)
    caller = await lab.inbound(number, DID["support"])
    leg = await lab.agent_call("1001")
    await lab.sleep(2)
    await lab.capture.stop()
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await recapture(lab, 2)
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", hangup_by="caller")]


@scenario("ami-cut-end", "The AMI link is cut while 1001 talks; the call ends in the gap", own_capture=True)
async def ami_cut_end(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await lab.capture.stop()
    await lab.sleep(1)
    await caller.bye()
    await leg.wait("ended", 5)
    await lab.sleep(2)
    await recapture(lab, 2)
    await lab.sleep(1)
    record = truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                   disposition="answered", hangup_by=None)
    record.update(total_seconds=None)
    return [record]


@scenario("pbx-restart", "The PBX is killed while one caller talks with 1001 and another waits; it is started again", own_capture=True)
async def pbx_restart(lab):
    await recapture(lab, 1)
    number, other = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    lab.agents["1002"].behaviour = lab.agents["1003"].behaviour = ring_forever
    waiting = await lab.inbound(other, DID["support"])
    await lab.sleep(3)
    killed = asyncio.get_running_loop().time()
    version = lab.version.split(".")[0]
    await asyncio.to_thread(subprocess.run, [RUN, "kill", version], check=True)
    lab.mark("killed")
    await lab.capture.stop()
    await asyncio.to_thread(subprocess.run, [RUN, "start", version], check=True)
    lab.ami = await Control().start()
    await recapture(lab, 2)
    for call in (caller, leg, waiting, *[c for p in lab.agents.values() for c in p.history]):
        call.enter("ended")
    records = [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1001",
                     disposition="answered", hangup_by="pbx", segments=[{"agent": "1001", "seconds": span(leg.times["up"], killed)}]),
               lab.call(waiting, caller_number=other, called=DID["support"], queue="support", agents_rung=None,
                        disposition="failed", hangup_by="pbx")]
    for record in records:
        record.update(total_seconds=None)
    return records


async def busy_floor(lab, callers, agents, talk):
    """So many callers at once; whoever is free answers; each hangs up after `talk` seconds of talk."""
    by_agent, records = [], []
    for agent in agents:
        async def behave(call, agent=agent):
            call.ring()
            if not await call.wait("ended", 1.0 + 0.3 * int(agent[-1])) and await call.answer():
                by_agent.append((agent, call))
        lab.agents[agent].behaviour = behave

    async def one(number):
        call = await lab.inbound(number, DID["support"])
        for _ in range(900):
            await asyncio.sleep(0.1)
            mine = [(a, c) for a, c in by_agent if number in (c.shown or "") and "up" in c.times]
            if mine:
                break
        agent, leg = mine[0]
        await asyncio.sleep(talk)
        await call.bye()
        await leg.wait("ended", 5)
        records.append(truth(lab, call, number, DID["support"], agent, queue="support", agents_rung=None,
                             final_agent=agent, disposition="answered", wait_seconds=span(call.times["up"], leg.times["up"]),
                             talk_seconds=span(leg.times["up"], leg.times["ended"]), hangup_by="caller",
                             segments=[segment(agent, leg)]))

    async def start(n, number):
        await asyncio.sleep(0.25 * n)
        await one(number)
    await asyncio.gather(*(start(n, lab.number()) for n in range(callers)))
    return sorted(records, key=lambda r: r["caller_number"])


@scenario("two-callers", "Two callers at once, two agents")
async def two_callers(lab):
    return await busy_floor(lab, 2, ["1001", "1002"], 3)


@scenario("six-callers", "Six callers at once, three agents")
async def six_callers(lab):
    return await busy_floor(lab, 6, ["1001", "1002", "1003"], 3)


@scenario("caller-returns", "A caller gives up, calls again and is answered by 1003")
async def caller_returns(lab):
    number = lab.number()
    first = await lab.inbound(number, DID["support"])
    await first.wait("up", 5)
    await lab.sleep(4)
    await first.bye()
    await lab.sleep(2)
    count = len(lab.agents["1003"].history)
    lab.agents["1003"].behaviour = answer_after(1.5)
    again = await lab.inbound(number, DID["support"])
    leg = await lab.agent_call("1003", count + 1)
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await again.bye()
    await leg.wait("ended", 5)
    rows = [r for r in lab.cel_rows() if r["type"] == "CHAN_START" and r["context"] == "from-trunk" and r["cid_num"] == number]
    ids = [r["linkedid"] for r in rows]
    return [lab.call(first, linkedid=ids[0], caller_number=number, called=DID["support"], queue="support", agents_rung=SUPPORT,
                     disposition="abandoned", hangup_by="caller"),
            truth(lab, again, number, DID["support"], "1003", linkedid=ids[1], queue="support", agents_rung=SUPPORT,
                  final_agent="1003", disposition="answered", hangup_by="caller", segments=[segment("1003", leg)])]


@scenario("menu", "A voice menu: the caller presses 2, queue sales, 1001 or 1002 answers")
async def menu(lab):
    number = lab.number()
    for agent in ("1001", "1002"):
        lab.agents[agent].behaviour = answer_after(1.5)
    caller = await lab.inbound(number, DID["menu"])
    assert await caller.wait("up", 10)
    await lab.sleep(2)
    await type_digits(caller, "2")
    for _ in range(200):
        await lab.sleep(0.1)
        taken = [(a, c) for a in ("1001", "1002") for c in lab.agents[a].history if "up" in c.times]
        if taken:
            break
    agent, leg = taken[0]
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["menu"], agent, queue="sales", agents_rung=[agent], final_agent=agent,
                  disposition="answered", hangup_by="caller", segments=[segment(agent, leg)])]


@scenario("menu-hangup", "A voice menu: the caller hangs up in it")
async def menu_hangup(lab):
    number = lab.number()
    caller = await lab.inbound(number, DID["menu"])
    assert await caller.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    return [lab.call(caller, caller_number=number, called=DID["menu"], agents_rung=[], disposition="abandoned", hangup_by="caller")]


async def outbound(lab, agent, customer):
    lab.trunk.behaviour = answer_after(1.5)
    leg = await lab.agents[agent].dial(customer)
    assert await leg.wait("up", 15)
    return leg, lab.trunk.history[-1]


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


@scenario("unkndid", "An inbound call to a number that nobody has")
async def unknown_did(lab):
    number = lab.number()
    caller = await lab.inbound(number, "+442079469999")
    await caller.wait("ended", 10)
    return [lab.call(caller, caller_number=number, called="+442079469999", agents_rung=[], disposition="failed", hangup_by="pbx")]


@scenario("outbound-rejected", "1002 dials a customer, who answers 603")
async def outbound_rejected(lab):
    customer = lab.number()
    lab.trunk.behaviour = reject_with(603, "Decline", 2)
    leg = await lab.agents["1002"].dial(customer)
    await leg.wait("ended", 20)
    return [lab.call(leg, direction="outbound", caller_number="1002", caller_name=AGENTS["1002"], called=customer, agent="1002",
                     answered_by=None, disposition="rejected", hangup_by="pbx", _channel="PJSIP/1002-", _exten=customer)]


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


@scenario("redirect-conference", "Queue, 1001 answers; AMI Redirect of both to conference 8001; the caller hangs up")
async def redirect_conference(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    channel, other = await lab.channel(number), await lab.channel(name="PJSIP/1001-")
    await lab.ami.action(Action="Redirect", Channel=channel, ExtraChannel=other, Context="internal", Exten="8001", Priority="1",
                         ExtraContext="internal", ExtraExten="8001", ExtraPriority="1")
    await lab.sleep(4)
    await caller.bye()
    await lab.sleep(1)
    await leg.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=SUPPORT,
                  disposition=None, conference="8001", hangup_by=None, transfers=[], segments=None)]


@scenario("redirect-voicemail", "Queue, 1001 answers; AMI Redirect of the caller to 91002, nobody there: mailbox")
async def redirect_voicemail(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    lab.agents["1002"].behaviour = ring_forever
    await lab.sleep(2)
    await lab.ami.action(Action="Redirect", Channel=await lab.channel(number), Context="internal", Exten="91002", Priority="1")
    await lab.sleep(20)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent=None,
                  disposition="transferred", mailbox="1002", hangup_by="caller",
                  transfers=[{"type": "blind", "by": "1001", "to": "91002", "answered": False}], segments=[segment("1001", leg)])]


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


@scenario("ami-cut-transfer", "1001 talks; the AMI link is cut; 1001 REFERs to 1004, who answers; the link comes back", own_capture=True)
async def cut_transfer(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await lab.capture.stop()
    lab.agents["1004"].behaviour = answer_after(1)
    await leg.refer("1004")
    target = await lab.agent_call("1004")
    assert await target.wait("up", 10)
    await lab.sleep(1)
    await recapture(lab, 2)
    await lab.sleep(2)
    await target.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1004",
                  disposition="transferred", hangup_by="agent",
                  transfers=[{"type": "blind", "by": "1001", "to": "1004", "answered": True}], segments=None)]


@scenario("ami-cut-waiting", "A caller waits; the AMI link is cut and comes back; the caller gives up", own_capture=True)
async def cut_waiting(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller = await lab.inbound(number, DID["support"])
    await lab.sleep(2)
    await lab.capture.stop()
    await lab.sleep(2)
    await recapture(lab, 2)
    await lab.sleep(2)
    await caller.bye()
    return [lab.call(caller, caller_number=number, called=DID["support"], queue="support", agents_rung=SUPPORT,
                     disposition="abandoned", hangup_by="caller", wait_seconds=span(caller.times["up"], caller.times["ended"]))]


@scenario("ami-cut-begun", "The AMI link is away when a call begins; it comes back while 1001 talks", own_capture=True)
async def cut_begun(lab):
    await recapture(lab, 1)
    await lab.sleep(0.5)
    await lab.capture.stop()
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001", "Gap Gabi")
    await lab.sleep(1)
    await recapture(lab, 2)
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", caller_name="Gap Gabi", queue="support", agents_rung=None, final_agent="1001",
                  disposition="answered", hangup_by="caller", segments=None)]


@scenario("pbx-stopped", "The PBX is stopped (SIGTERM) while one caller talks with 1001 and another waits; started again", own_capture=True)
async def pbx_stopped(lab):
    await recapture(lab, 1)
    number, other = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    lab.agents["1002"].behaviour = lab.agents["1003"].behaviour = ring_forever
    waiting = await lab.inbound(other, DID["support"])
    await lab.sleep(3)
    version = lab.version.split(".")[0]
    await asyncio.to_thread(subprocess.run, [RUN, "stop", version], check=True)
    await lab.capture.stop()
    await asyncio.to_thread(subprocess.run, [RUN, "start", version], check=True)
    lab.ami = await Control().start()
    await recapture(lab, 2)
    for call in (caller, leg, waiting, *[c for p in lab.agents.values() for c in p.history]):
        call.enter("ended")
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", agents_rung=None, final_agent="1001",
                  disposition="answered", hangup_by="pbx"),
            lab.call(waiting, caller_number=other, called=DID["support"], queue="support", agents_rung=None,
                     disposition=None, hangup_by="pbx")]


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
