"""Half-attended transfers, transfers into rooms and queues of Local members, pickup on the way, orders by other paths."""
import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import DID, answer_after, ring_forever, scenario
from pieces import (
    SUPPORT,
    answered,
    asks,
    attended,
    called_out,
    digits,
    feature,
    move,
    outbound,
    outside,
    reached,
    segment,
    span,
    truth,
    wait,
)


async def half(lab, leg, agent, to):
    """`agent` holds, dials, and joins before anybody has answered there."""
    await leg.hold()
    consult = await lab.agents[agent].dial(to)
    for _ in range(100):
        if consult.rtag and consult.state == "ringing":
            break
        await asyncio.sleep(0.05)
    await lab.sleep(2)
    status = await leg.refer_to_call(consult)
    lab.mark(f"{agent} joins before the answer: {status}")
    return status


@scenario("half-attended", "1001 holds, dials 1004 and joins while it rings (REFER with Replaces); 1004 answers; the caller hangs up")
async def half_attended(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    lab.agents["1004"].behaviour = answer_after(5)
    assert await half(lab, leg, "1001", "1004") == 202
    other = await lab.agent_call("1004")
    assert await other.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="caller", transfers=[move("attended", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other)])]


@scenario("half-attended-given-up", "1001 holds, dials 1004 and joins while it rings; the caller gives up")
async def half_given_up(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    lab.agents["1004"].behaviour = ring_forever
    assert await half(lab, leg, "1001", "1004") == 202
    await lab.sleep(3)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="caller", transfers=[move("attended", "1001", "1004", False)], segments=[segment("1001", leg)])]


@scenario("half-attended-outside", "1001 holds, dials a mobile and joins while it rings; the mobile answers; the caller hangs up")
async def half_outside(lab):
    number, mobile = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    before = len(lab.trunk.history)
    lab.trunk.behaviour = answer_after(5)
    assert await half(lab, leg, "1001", mobile) == 202
    out = await outside(lab, before)
    await lab.sleep(2)
    await caller.bye()
    await out.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", disposition="transferred", hangup_by="caller",
                  transfers=[move("attended", "1001", mobile)], segments=None)]


@scenario("feature-blonde-given-up", "1001 types *2 1004 and hangs up while it rings; the caller gives up")
async def blonde_given_up(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = ring_forever
    await feature(lab, leg, "*2", "1004")
    await lab.agent_call("1004")
    await lab.sleep(1)
    await leg.bye()
    await lab.sleep(3)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="caller", transfers=[move("attended", "1001", "1004", False)], segments=[segment("1001", leg)])]


@scenario("attended-conference", "1001 holds, dials conference 8001, where 1002 is, and joins the caller to it; the caller hangs up")
async def attended_conference(lab):
    two = await lab.agents["1002"].dial("8001")
    assert await two.wait("up", 10)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    consult = await lab.agents["1001"].dial("8001")
    assert await consult.wait("up", 10)
    await lab.sleep(1)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(3)
    await caller.bye()
    await lab.sleep(1)
    await two.bye()
    return [lab.call(two, direction="internal", caller_number="1002", called="8001", disposition="conference", conference="8001",
                     agents_rung=None, hangup_by="caller", _channel="PJSIP/1002-"),
            truth(lab, caller, number, DID["support"], "1001", queue="support", disposition="transferred", hangup_by="caller",
                  conference="8001", transfers=[move("attended", "1001", "8001", None)], segments=[segment("1001", leg)])]


@scenario("blind-queue-local", "1001 REFERs to queue 2002 (Local members), 1002 answers there; the caller hangs up")
async def blind_queue_local(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    lab.agents["1001"].behaviour = ring_forever
    await lab.sleep(2)
    other = await answered(lab, "1002", 1.5, leg.refer("2002"))
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "2002")],
                  segments=[segment("1001", leg), segment("1002", other)])]


async def attended_to(lab, to):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1001"].behaviour = ring_forever
    before = len(lab.agents["1002"].history)
    lab.agents["1002"].behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial(to)
    other = await lab.agent_call("1002", before + 1, 30)
    assert await other.wait("up", 20) and await consult.wait("up", 5)
    await lab.sleep(2)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", to)],
                  segments=[segment("1001", leg), segment("1002", other, begin=leg.times["ended"])])]


@scenario("attended-queue-local", "1001 holds, dials queue 2002 (Local members), 1002 answers there, 1001 joins; 1002 hangs up")
async def attended_queue_local(lab):
    return await attended_to(lab, "2002")


@scenario("attended-queue-passing", "1001 holds, dials queue 2003 (Local members that go), 1002 answers there, 1001 joins; 1002 hangs up")
async def attended_queue_passing(lab):
    return await attended_to(lab, "2003")


@scenario("picked-up-on-the-way", "1001 REFERs to 1004, who rings; 1002 picks up with *8; the caller hangs up")
async def picked_on_the_way(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = ring_forever
    await leg.refer("1004")
    await lab.agent_call("1004")
    await lab.sleep(2)
    pick = await lab.agents["1002"].dial("*8")
    assert await pick.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await pick.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1002", pick)])]


@scenario("picked-up-local", "A queue of Local members rings, 1004 picks up 1001's call; 1004 hangs up")
async def picked_local(lab):
    number = lab.number()
    lab.agents["1001"].behaviour = lab.agents["1002"].behaviour = ring_forever
    caller = await lab.inbound(number, DID["local"])
    await lab.agent_call("1001")
    await lab.sleep(2)
    pick = await lab.agents["1004"].dial("**1001")
    assert await pick.wait("up", 10)
    await lab.sleep(2)
    await pick.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1004", queue="local", final_agent="1004", disposition="answered",
                  hangup_by="agent", agents_rung=["1001", "1002"], segments=[segment("1004", pick)])]


@scenario("ami-blind-transfer", "1001 talks; AMI BlindTransfer of 1001's channel to 1004, who answers; the caller hangs up")
async def ami_blind(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    other = await answered(lab, "1004", does=lab.ami.action(
        Action="BlindTransfer", Channel=await lab.channel(name="PJSIP/1001-"), Context="internal", Exten="1004"))
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other)])]


@scenario("two-consultations", "1001 asks 1002, who cannot help, then asks 1004 and joins; 1004 hangs up")
async def two_consultations(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1002"].behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial("1002")
    assert await consult.wait("up", 10)
    await lab.sleep(2)
    await consult.bye()
    await lab.sleep(1)
    other, joined = await attended(lab, leg, "1001", "1004")
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other, begin=joined)]),
            asks(lab, consult, "1001", "1002", answered_by="1002", disposition="answered", hangup_by="caller")]


@scenario("asked-hangs-up", "1001 holds and asks 1004, who hangs up; 1001 goes back, REFERs the caller to 1002; 1002 hangs up")
async def asked_hangs_up(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1004"].behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial("1004")
    assert await consult.wait("up", 10)
    await lab.sleep(2)
    await lab.agents["1004"].history[-1].bye()
    await consult.wait("ended", 5)
    await leg.unhold()
    await lab.sleep(1)
    other = await answered(lab, "1002", does=leg.refer("1002"))
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="agent", transfers=[move("blind", "1001", "1002")],
                  segments=[segment("1001", leg), segment("1002", other)]),
            asks(lab, consult, "1001", "1004", answered_by="1004", disposition="answered", hangup_by="agent")]


@scenario("internal-attended-by-called", "1001 calls 1002, who holds, asks 1004 and joins both; 1001 hangs up")
async def internal_by_called(lab):
    lab.agents["1002"].behaviour = answer_after(1)
    caller = await lab.agents["1001"].dial("1002")
    assert await caller.wait("up", 10)
    leg = lab.agents["1002"].history[-1]
    await lab.sleep(1)
    other, joined = await attended(lab, leg, "1002", "1004")
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [lab.call(caller, direction="internal", caller_number="1001", called="1002", agents_rung=None, answered_by="1002",
                     disposition="transferred", final_agent="1004", hangup_by="caller", transfers=[move("attended", "1002", "1004")],
                     segments=[segment("1002", leg), segment("1004", other, begin=joined)], _channel="PJSIP/1001-", _exten="1002")]


@scenario("outbound-passed-outside", "1002 dials a customer, who answers, and REFERs to a mobile, which answers; the customer hangs up")
async def outbound_outside(lab):
    customer, mobile = lab.number(), lab.number()
    leg, out = await outbound(lab, "1002", customer)
    await lab.sleep(2)
    before = len(lab.trunk.history)
    await leg.refer(mobile)
    other = await outside(lab, before)
    await lab.sleep(2)
    await out.bye()
    await other.wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, answered_by="customer", disposition="transferred", hangup_by="customer",
                       total_seconds=None, transfers=[move("blind", "1002", mobile)], segments=None)]


@scenario("click-local", "Click to call by a Local channel, as some dialplans want it: 1001, then the customer, who hangs up")
async def click_local(lab):
    return await clicked(lab, "Local/1001@internal/n")


@scenario("click-local-passing", "The same by a Local channel that goes")
async def click_local_passing(lab):
    return await clicked(lab, "Local/1001@internal")


async def clicked(lab, channel):
    customer = lab.number()
    lab.trunk.behaviour = answer_after(1.5)
    leg = await answered(lab, "1001", does=lab.ami.action(
        Action="Originate", Channel=channel, Context="internal", Exten=customer, Priority="1", CallerID=f"<{customer}>",
        Timeout="15000", Async="true"))
    out = await outside(lab, 0)
    await lab.sleep(3)
    await out.bye()
    await leg.wait("ended", 5)
    return [called_out(lab, leg, "1001", customer, answered_by="customer", disposition="answered", final_agent="1001", hangup_by="customer",
                       talk_seconds=span(out.times["up"], out.times["ended"]), _channel="Local/1001@", _exten=None)]


@scenario("click-local-unanswered", "Click to call by a Local channel: 1001 does not answer")
async def click_local_unanswered(lab):
    customer = lab.number()
    lab.agents["1001"].behaviour = ring_forever
    await lab.ami.action(Action="Originate", Channel="Local/1001@internal/n", Context="internal", Exten=customer, Priority="1",
                         CallerID=f"<{customer}>", Timeout="8000", Async="true")
    leg = await lab.agent_call("1001")
    await leg.wait("ended", 20)
    return [called_out(lab, leg, "1001", customer, answered_by=None, disposition="agent-no-answer", hangup_by=None,
                       _channel="Local/1001@", _exten=None)]


@scenario("customer-first", "An order rings the customer first, then 1001, who answers; the customer hangs up")
async def customer_first(lab):
    customer = lab.number()
    lab.trunk.behaviour = answer_after(1.5)
    leg = await answered(lab, "1001", does=lab.ami.action(
        Action="Originate", Channel=f"PJSIP/{customer}@trunk", Context="internal", Exten="1001", Priority="1",
        CallerID="<+442079460100>", Timeout="15000", Async="true"))
    out = lab.trunk.history[0]
    await lab.sleep(3)
    await out.bye()
    await leg.wait("ended", 5)
    return [called_out(lab, out, "1001", customer, disposition="answered", hangup_by="customer", caller_number=None,
                       talk_seconds=span(leg.times["up"], leg.times["ended"]), _channel="PJSIP/trunk-", _exten=None,
                       loose=["answered_by"])]


@scenario("confirmed", "1004 answers and presses 1 to take the call; the caller hangs up")
async def confirmed(lab):
    number = lab.number()
    lab.agents["1004"].behaviour = answer_after(1.5)
    caller = await lab.inbound(number, "+442079460222")
    leg = await lab.agent_call("1004")
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await digits(leg, "1")
    assert await caller.wait("up", 5)
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, "+442079460222", "1004", queue=None, agents_rung=["1004"], final_agent="1004", disposition="answered",
                  hangup_by="caller", talk_seconds=span(caller.times["up"], caller.times["ended"]))]


@scenario("not-confirmed", "1004 answers and presses nothing: the caller speaks to mailbox 2000")
async def not_confirmed(lab):
    number = lab.number()
    lab.agents["1004"].behaviour = answer_after(1.5)
    caller = await lab.inbound(number, "+442079460222")
    leg = await lab.agent_call("1004")
    await leg.wait("ended", 20)
    await lab.sleep(4)
    await caller.bye()
    return [truth(lab, caller, number, "+442079460222", None, queue=None, agents_rung=["1004"], disposition="voicemail", mailbox="2000",
                  hangup_by="caller")]


@scenario("recorded-at-agent", "The recording runs on the agent's channel; 1004 hangs up")
async def recorded_at_agent(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, "+442079460223", "1004")
    await lab.sleep(3)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, "+442079460223", "1004", queue=None, final_agent="1004", disposition="answered", hangup_by="agent",
                  recorded=True, segments=[segment("1004", leg)])]


@scenario("queue-behind-local", "A Local channel leads to queue support; 1002 answers; the caller hangs up")
async def behind_local(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, "+442079460224", "1002", ring=3)
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, "+442079460224", "1002", queue="support", agents_rung=SUPPORT, final_agent="1002",
                  disposition="answered", hangup_by="caller", wait_seconds=wait(caller, leg), segments=[segment("1002", leg)])]


@scenario("queue-behind-local-left", "A Local channel leads to queue support; the caller gives up")
async def behind_local_left(lab):
    number = lab.number()
    caller = await lab.inbound(number, "+442079460224")
    await lab.agent_call("1002")
    await lab.sleep(3)
    await caller.bye()
    return [truth(lab, caller, number, "+442079460224", None, queue="support", agents_rung=SUPPORT, disposition="abandoned",
                  hangup_by="caller", wait_seconds=span(caller.times["up"], caller.times["ended"]))]


@scenario("parked-two", "1001 parks one caller, takes and parks another; 1002 fetches the second, 1004 the first")
async def parked_two(lab):
    one, two = lab.number(), lab.number()
    first, leg = await reached(lab, one, "+442079461001", "1001")
    await lab.sleep(1)
    await leg.refer("700")
    second, again = await reached(lab, two, "+442079461001", "1001")
    await lab.sleep(1)
    await again.refer("700")
    await lab.sleep(1)
    spaces = {m["ParkeeCallerIDNum"]: m["ParkingSpace"] for m in await lab.ami.action(Action="ParkedCalls") if m.get("Event") == "ParkedCall"}
    by_two = await lab.agents["1002"].dial(spaces[two])
    by_four = await lab.agents["1004"].dial(spaces[one])
    assert await by_two.wait("up", 10) and await by_four.wait("up", 10)
    await lab.sleep(2)
    await first.bye()
    await lab.sleep(1)
    await by_two.bye()
    await second.wait("ended", 5)
    return [truth(lab, first, one, "+442079461001", "1001", queue=None, final_agent="1004", disposition="transferred", hangup_by="caller",
                  transfers=[move("park", "1001", "1004")], segments=[segment("1001", leg), segment("1004", by_four)]),
            truth(lab, second, two, "+442079461001", "1001", queue=None, final_agent="1002", disposition="transferred", hangup_by="agent",
                  transfers=[move("park", "1001", "1002")], segments=[segment("1001", again), segment("1002", by_two)])]
