"""What happens once a month: races of two agents, supervisors by order, outbound calls passed on, parking that nobody fetches."""
import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import DID, answer_after, reject_with, ring_forever, scenario
from pieces import (
    SUPPORT,
    answered,
    asks,
    attended,
    called_out,
    move,
    outbound,
    reached,
    segment,
    span,
    truth,
    wait,
)


@scenario("two-answer-at-once", "1001 and 1002 answer in the same moment: one has the caller, who hangs up")
async def two_answer(lab):
    number = lab.number()
    for agent in SUPPORT:
        lab.agents[agent].behaviour = ring_forever
    caller = await lab.inbound(number, DID["support"])
    one, two = await lab.agent_call("1001"), await lab.agent_call("1002")
    await lab.sleep(2)
    await asyncio.gather(one.answer(), two.answer())
    await lab.sleep(1)
    leg, agent = (one, "1001") if one.state == "up" else (two, "1002")
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], agent, queue="support", agents_rung=SUPPORT, final_agent=agent, disposition="answered",
                  hangup_by="caller", wait_seconds=wait(caller, leg), segments=[segment(agent, leg)])]


@scenario("ami-listens", "1001 talks; an order has 1004's phone listen in; 1004 hangs up, then the caller")
async def ami_listens(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    spy = await answered(lab, "1004", does=lab.ami.action(
        Action="Originate", Channel="PJSIP/1004", Application="ChanSpy", Data="PJSIP/1001,q", Timeout="15000", Async="true"))
    await lab.sleep(2)
    await spy.bye()
    await lab.sleep(1)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("told-first-left", "1001 answers, hears a voice and hangs up before the caller is joined; 1002 answers and hangs up later")
async def told_left(lab):
    number = lab.number()
    for agent in SUPPORT:
        lab.agents[agent].behaviour = ring_forever
    caller = await lab.inbound(number, "+442079460217")
    first = await lab.agent_call("1001")
    await lab.sleep(1)
    await first.answer()
    await lab.sleep(0.4)
    lab.agents["1001"].behaviour = ring_forever
    leg = await answered(lab, "1002", 1.5, first.bye())
    await lab.sleep(5)
    await leg.bye()
    await caller.wait("ended", 10)
    return [truth(lab, caller, number, "+442079460217", "1002", queue="support", final_agent="1002", disposition="answered",
                  hangup_by="agent", segments=None)]


@scenario("short-talk", "1001 answers, the caller hangs up a third of a second later")
async def short_talk(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(0.3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", talk_seconds=span(leg.times["up"], leg.times["ended"]), segments=[segment("1001", leg)])]


@scenario("paused-while-ringing", "1001 pauses while its phone rings; 1002 answers; the caller hangs up")
async def paused(lab):
    number = lab.number()
    for agent in SUPPORT:
        lab.agents[agent].behaviour = ring_forever
    lab.agents["1002"].behaviour = answer_after(4)
    caller = await lab.inbound(number, DID["support"])
    leg = await lab.agent_call("1002")
    await lab.sleep(1)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1001", Paused="true", Reason="tea")
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1001", Paused="false")
    return [truth(lab, caller, number, DID["support"], "1002", queue="support", final_agent="1002", agents_rung=SUPPORT,
                  disposition="answered", hangup_by="caller", segments=[segment("1002", leg)])]


@scenario("unanswered-given-up", "A queue that the PBX does not answer: the caller gives up while phones ring")
async def unanswered_given_up(lab):
    number = lab.number()
    for agent in SUPPORT:
        lab.agents[agent].behaviour = ring_forever
    caller = await lab.inbound(number, DID["unanswered"])
    await lab.agent_call("1001")
    await lab.sleep(4)
    await caller.cancel()
    return [truth(lab, caller, number, DID["unanswered"], None, queue="support", agents_rung=SUPPORT, disposition="abandoned",
                  hangup_by="caller", wait_seconds=span(caller.times["new"], caller.times["ended"]))]


@scenario("hold-refer-busy", "1001 holds and REFERs to 1004, which is busy: the PBX hangs up")
async def hold_refer_busy(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(2)
    lab.agents["1004"].behaviour = reject_with(486, "Busy Here")
    await leg.refer("1004")
    await caller.wait("ended", 20)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="pbx", transfers=[move("blind", "1001", "1004", False)], segments=[segment("1001", leg)])]


@scenario("both-hold", "1001 holds, the caller's phone holds too; both go on; 1001 hangs up")
async def both_hold(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(1)
    await caller.hold()
    await lab.sleep(1)
    await leg.unhold()
    await lab.sleep(1)
    await caller.unhold()
    await lab.sleep(1)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", segments=[segment("1001", leg)])]


@scenario("park-nobody-fetches", "1001 parks the caller; nobody fetches, and 1001 does not answer when it comes back")
async def park_nobody(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    lab.agents["1001"].behaviour = ring_forever
    await lab.sleep(2)
    await leg.refer("700")
    await caller.wait("ended", 90)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="pbx", transfers=None, segments=[segment("1001", leg)])]


@scenario("internal-caller-refers", "1001 calls 1002 and REFERs 1002 to 1004, who answers; 1002 hangs up")
async def internal_caller(lab):
    lab.agents["1002"].behaviour = answer_after(1)
    caller = await lab.agents["1001"].dial("1002")
    assert await caller.wait("up", 10)
    leg = lab.agents["1002"].history[-1]
    await lab.sleep(2)
    other = await answered(lab, "1004", does=caller.refer("1004"))
    await lab.sleep(2)
    await leg.bye()
    await other.wait("ended", 5)
    return [lab.call(caller, direction="internal", caller_number="1001", called="1002", agents_rung=None, answered_by="1002",
                     disposition="transferred", final_agent="1004", total_seconds=None, transfers=[move("blind", "1001", "1004")],
                     _channel="PJSIP/1001-", _exten="1002")]


@scenario("internal-rejected", "1001 calls 1002, who rejects after 2 s (603)")
async def internal_rejected(lab):
    lab.agents["1002"].behaviour = reject_with(603, "Decline", 2)
    caller = await lab.agents["1001"].dial("1002")
    await caller.wait("ended", 20)
    return [lab.call(caller, direction="internal", caller_number="1001", called="1002", agents_rung=["1002"], disposition="rejected",
                     _channel="PJSIP/1001-", _exten="1002")]


@scenario("internal-unanswered", "1001 calls 1002, who does not answer for 20 s")
async def internal_unanswered(lab):
    lab.agents["1002"].behaviour = ring_forever
    caller = await lab.agents["1001"].dial("1002")
    await caller.wait("ended", 30)
    return [lab.call(caller, direction="internal", caller_number="1001", called="1002", agents_rung=["1002"], disposition="no-answer",
                     hangup_by="pbx", _channel="PJSIP/1001-", _exten="1002")]


async def from_outbound(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", customer)
    await lab.sleep(2)
    return customer, leg, out


def passed_out(lab, leg, customer, **facts):
    return called_out(lab, leg, "1002", customer, **{"answered_by": "customer", "disposition": "transferred", "total_seconds": None, **facts})


@scenario("outbound-parked", "1002 dials a customer and parks the call; 1004 fetches; the customer hangs up")
async def outbound_parked(lab):
    customer, leg, out = await from_outbound(lab)
    await leg.refer("700")
    await lab.sleep(2)
    lot = [m for m in await lab.ami.action(Action="ParkedCalls") if m.get("Event") == "ParkedCall"]
    fetch = await lab.agents["1004"].dial(lot[0]["ParkingSpace"])
    assert await fetch.wait("up", 10)
    await lab.sleep(2)
    await out.bye()
    await fetch.wait("ended", 5)
    return [passed_out(lab, leg, customer, final_agent="1004", hangup_by="customer", transfers=[move("park", "1002", "1004")],
                       segments=[segment("1002", leg), segment("1004", fetch)])]


@scenario("outbound-to-queue", "1002 dials a customer and REFERs to queue 2000; 1001 answers and hangs up")
async def outbound_queue(lab):
    customer, leg, out = await from_outbound(lab)
    other = await answered(lab, "1001", 1.5, leg.refer("2000"))
    await lab.sleep(2)
    await other.bye()
    await out.wait("ended", 5)
    return [passed_out(lab, leg, customer, final_agent="1001", hangup_by="agent", transfers=[move("blind", "1002", "2000")],
                       segments=[segment("1002", leg), segment("1001", other)], loose=["queue"])]


@scenario("outbound-to-mailbox", "1002 dials a customer and REFERs to 91001, who does not answer: mailbox 1001; the customer hangs up")
async def outbound_mailbox(lab):
    customer, leg, out = await from_outbound(lab)
    lab.agents["1001"].behaviour = ring_forever
    await leg.refer("91001")
    await lab.sleep(14)
    await out.bye()
    return [passed_out(lab, leg, customer, final_agent=None, hangup_by="customer", mailbox="1001",
                       transfers=[move("blind", "1002", "91001", False)], segments=[segment("1002", leg)])]


@scenario("outbound-refer-unanswered", "1002 dials a customer and REFERs to 1004, who does not answer: the PBX hangs up")
async def outbound_unanswered(lab):
    customer, leg, out = await from_outbound(lab)
    lab.agents["1004"].behaviour = ring_forever
    await leg.refer("1004")
    await out.wait("ended", 30)
    return [passed_out(lab, leg, customer, final_agent=None, hangup_by="pbx",
                       transfers=[move("blind", "1002", "1004", False)], segments=[segment("1002", leg)])]


@scenario("direct-attended-queue", "A caller to 1004 directly; 1004 holds, dials queue 2001, 1002 answers, 1004 joins; the caller hangs up")
async def direct_attended(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, "+442079461004", "1004")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1001"].behaviour = ring_forever
    before = len(lab.agents["1002"].history)
    lab.agents["1002"].behaviour = answer_after(1)
    consult = await lab.agents["1004"].dial("2001")
    other = await lab.agent_call("1002", before + 1, 30)
    assert await other.wait("up", 20) and await consult.wait("up", 5)
    await lab.sleep(2)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, "+442079461004", "1004", final_agent="1002", disposition="transferred", hangup_by="caller",
                  transfers=[move("attended", "1004", "2001")], loose=["queue"],
                  segments=[segment("1004", leg), segment("1002", other, begin=leg.times["ended"])])]


@scenario("local-consult-off", "Queue of Local members, 1002 holds, asks 1004, comes back; 1002 hangs up")
async def local_off(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["local"], "1002")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1004"].behaviour = answer_after(1)
    consult = await lab.agents["1002"].dial("1004")
    assert await consult.wait("up", 10)
    await lab.sleep(2)
    await consult.bye()
    await leg.unhold()
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1002", queue="local", final_agent="1002", disposition="answered", hangup_by="agent",
                  segments=[segment("1002", leg)]),
            asks(lab, consult, "1002", "1004", answered_by="1004", disposition="answered", hangup_by="caller")]


@scenario("conference-handover", "1001 talks; AMI sends both into conference 8001; 1004 joins there, 1001 leaves; the caller hangs up")
async def handover(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    channel, ours = await lab.channel(number), await lab.channel(name="PJSIP/1001-")
    await lab.ami.action(Action="Redirect", Channel=channel, Context="internal", Exten="8001", Priority="1",
                         ExtraChannel=ours, ExtraContext="internal", ExtraExten="8001", ExtraPriority="1")
    await lab.sleep(1)
    third = await lab.agents["1004"].dial("8001")
    assert await third.wait("up", 10)
    await lab.sleep(1)
    await leg.bye()
    await lab.sleep(2)
    await caller.bye()
    await lab.sleep(0.5)
    await third.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", disposition=None, conference="8001", hangup_by="caller",
                  transfers=None),
            lab.call(third, direction="internal", caller_number="1004", called="8001", disposition="conference", conference="8001",
                     agents_rung=None, _channel="PJSIP/1004-")]


@scenario("attended-back", "1001 asks 1004 and joins; 1004 asks 1001 and joins back; 1001 hangs up")
async def attended_back(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    second, joined = await attended(lab, leg, "1001", "1004")
    await lab.sleep(1)
    again, rejoined = await attended(lab, second, "1004", "1001")
    await lab.sleep(2)
    await again.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", "1004"), move("attended", "1004", "1001")],
                  segments=[segment("1001", leg), segment("1004", second, begin=joined), segment("1001", again, begin=rejoined)])]


@scenario("joined-customers", "1001 has one caller on hold, takes another and joins the two; both hang up")
async def joined_customers(lab):
    one, two = lab.number(), lab.number()
    first, leg = await reached(lab, one, "+442079461001", "1001")
    await lab.sleep(1)
    await leg.hold()
    second, other = await reached(lab, two, "+442079461001", "1001")
    await lab.sleep(2)
    other.to_user = two
    status = await leg.refer_to_call(other)
    lab.mark(f"REFER: {status}")
    await lab.sleep(3)
    await first.bye()
    await second.wait("ended", 5)
    return [truth(lab, first, one, "+442079461001", "1001", queue=None, disposition=None, hangup_by=None, transfers=None, loose=["disposition"]),
            truth(lab, second, two, "+442079461001", "1001", queue=None, disposition=None, hangup_by=None, transfers=None, loose=["disposition"])]
