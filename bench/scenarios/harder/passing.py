"""Calls that are passed on more than once, back, outside, into menus and mailboxes; three-way talks; who leaves when."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import DID, answer_after, reject_with, ring_forever, scenario
from pieces import answered, asks, attended, digits, feature, move, outside, reached, segment, span, truth, wait


@scenario("blind-then-attended", "1001 REFERs to 1004, who holds, asks 1002 and joins both; the caller hangs up")
async def blind_attended(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    second = await answered(lab, "1004", does=leg.refer("1004"))
    await lab.sleep(2)
    third, joined = await attended(lab, second, "1004", "1002")
    await lab.sleep(2)
    await caller.bye()
    await third.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  wait_seconds=wait(caller, leg), hangup_by="caller",
                  transfers=[move("blind", "1001", "1004"), move("attended", "1004", "1002")],
                  segments=[segment("1001", leg), segment("1004", second), segment("1002", third, begin=joined)])]


@scenario("attended-then-blind", "1001 asks 1004 and joins both; 1004 REFERs to 1002; 1002 hangs up")
async def attended_blind(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    second, joined = await attended(lab, leg, "1001", "1004")
    await lab.sleep(2)
    third = await answered(lab, "1002", does=second.refer("1002"))
    await lab.sleep(2)
    await third.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", "1004"), move("blind", "1004", "1002")],
                  segments=[segment("1001", leg), segment("1004", second, begin=joined), segment("1002", third)])]


@scenario("attended-twice", "1001 asks 1002 and joins; 1002 asks 1004 and joins; 1004 hangs up")
async def attended_twice(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    second, joined = await attended(lab, leg, "1001", "1002")
    await lab.sleep(1)
    third, again = await attended(lab, second, "1002", "1004")
    await lab.sleep(2)
    await third.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", "1002"), move("attended", "1002", "1004")],
                  segments=[segment("1001", leg), segment("1002", second, begin=joined), segment("1004", third, begin=again)])]


@scenario("blind-back-to-first", "1001 REFERs to 1004, who REFERs back to 1001; the caller hangs up")
async def back(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    second = await answered(lab, "1004", does=leg.refer("1004"))
    await lab.sleep(2)
    again = await answered(lab, "1001", does=second.refer("1001"))
    await lab.sleep(2)
    await caller.bye()
    await again.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "1004"), move("blind", "1004", "1001")],
                  segments=[segment("1001", leg), segment("1004", second), segment("1001", again)])]


@scenario("feature-blonde-queue", "1001 types *2 2001 and hangs up while the caller-to-be waits there; 1002 answers")
async def blonde_queue(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1001"].behaviour = ring_forever
    before = len(lab.agents["1002"].history)
    lab.agents["1002"].behaviour = answer_after(4)
    await feature(lab, leg, "*2", "2001")
    other = await lab.agent_call("1002", before + 1, 20)
    await lab.sleep(1)
    await leg.bye()
    assert await other.wait("up", 20)
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="caller", transfers=[move("attended", "1001", "2001")],
                  segments=[segment("1001", leg), segment("1002", other)])]


@scenario("refer-external-busy", "1001 REFERs to a mobile that is busy")
async def external_busy(lab):
    number, mobile = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.trunk.behaviour = reject_with(486, "Busy Here", 1)
    await leg.refer(mobile)
    await caller.wait("ended", 20)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="pbx", transfers=[move("blind", "1001", mobile, False)], segments=[segment("1001", leg)])]


@scenario("refer-external-given-up", "1001 REFERs to a mobile that rings; the caller gives up")
async def external_rings(lab):
    number, mobile = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.trunk.behaviour = ring_forever
    await leg.refer(mobile)
    await lab.sleep(4)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", mobile, False)], segments=[segment("1001", leg)])]


@scenario("refer-external-back-inside", "1001 REFERs to a mobile that answers; the caller hangs up")
async def external_answered(lab):
    number, mobile = lab.number(), lab.number()
    caller, leg = await reached(lab, number, DID["local"], "1001")
    await lab.sleep(2)
    before = len(lab.trunk.history)
    lab.trunk.behaviour = answer_after(1)
    await leg.refer(mobile)
    out = await outside(lab, before)
    await lab.sleep(3)
    await caller.bye()
    await out.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1001", queue="local", disposition="transferred", hangup_by="caller",
                  transfers=[move("blind", "1001", mobile)], segments=None)]


@scenario("attended-voicemail", "1001 holds, dials 91002, reaches the mailbox and joins the caller to it")
async def attended_mailbox(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1002"].behaviour = ring_forever
    consult = await lab.agents["1001"].dial("91002")
    assert await consult.wait("up", 20)
    await lab.sleep(2)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(8)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="caller", mailbox="1002", transfers=[move("attended", "1001", "91002", False)],
                  segments=[segment("1001", leg)])]


@scenario("refer-menu", "1001 REFERs to a voice menu; the caller presses 1, 1002 answers")
async def refer_menu(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.refer("3000")
    await lab.sleep(2)
    lab.agents["1001"].behaviour = lab.agents["1003"].behaviour = ring_forever
    other = await answered(lab, "1002", does=digits(caller, "1"))
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="agent", transfers=[move("blind", "1001", "3000")],
                  segments=[segment("1001", leg), segment("1002", other)])]


@scenario("refer-nowhere", "1001 REFERs to 3999, which nobody has, and hangs up")
async def refer_nowhere(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.mark(f"REFER: {await leg.refer('3999')}")
    await caller.wait("ended", 5)
    lab.mark(f"NOTIFY: {leg.notifies}")
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", segments=[segment("1001", leg)])]


@scenario("hold-twice-hangup", "1001 holds twice; the caller hangs up in the second hold")
async def hold_twice(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(2)
    await leg.unhold()
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", holds=[{"agent": "1001", "seconds": 2.0}, {"agent": "1001", "seconds": 3.0}],
                  talk_seconds=round(leg.times["ended"] - leg.times["up"] - 5, 2), segments=[segment("1001", leg)])]


@scenario("agent-leaves-holding", "1001 holds and hangs up while the caller is held")
async def leaves_holding(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.hold()
    await lab.sleep(3)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", holds=[{"agent": "1001", "seconds": 3.0}], segments=[segment("1001", leg)])]


@scenario("caller-leaves-consult", "1001 holds and asks 1004; the caller hangs up; 1001 and 1004 go on for a while")
async def leaves_consult(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1004"].behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial("1004")
    assert await consult.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    await lab.sleep(3)
    await consult.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)]),
            asks(lab, consult, "1001", "1004", answered_by="1004", disposition="answered", hangup_by="caller")]


@scenario("feature-caller-leaves-consult", "1001 types *2 1004, they talk; the caller hangs up; 1004 hangs up later")
async def feature_leaves(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    other = await answered(lab, "1004", does=feature(lab, leg, "*2", "1004"))
    await lab.sleep(2)
    await caller.bye()
    await lab.sleep(3)
    await leg.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", total_seconds=None, segments=None)]


@scenario("caller-leaves-blind", "1001 REFERs to 1004, who rings; the caller hangs up")
async def leaves_blind(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = ring_forever
    await leg.refer("1004")
    await lab.sleep(4)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "1004", False)], segments=[segment("1001", leg)])]


async def three_way(lab, number, did=DID["support"]):
    caller, leg = await reached(lab, number, did, "1001")
    await lab.sleep(2)
    other = await answered(lab, "1004", does=feature(lab, leg, "*2", "1004"))
    await lab.sleep(1)
    await digits(leg, "*3")
    await lab.sleep(3)
    return caller, leg, other


@scenario("three-way-first-leaves", "1001 types *2 1004, then *3: all three talk; 1001 leaves, the caller hangs up later")
async def three_way_first(lab):
    number = lab.number()
    caller, leg, other = await three_way(lab, number)
    await leg.bye()
    await lab.sleep(3)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="caller", transfers=[move("attended", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other, begin=leg.times["ended"])])]


@scenario("three-way-second-leaves", "1001 types *2 1004, then *3: all three talk; 1004 leaves, 1001 hangs up later")
async def three_way_second(lab):
    number = lab.number()
    caller, leg, other = await three_way(lab, number)
    await other.bye()
    await lab.sleep(3)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", segments=[segment("1001", leg)])]


@scenario("three-way-caller-leaves", "1001 types *2 1004, then *3: all three talk; the caller leaves, the agents part later")
async def three_way_caller(lab):
    number = lab.number()
    caller, leg, other = await three_way(lab, number)
    await caller.bye()
    await lab.sleep(2)
    await leg.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", total_seconds=None, segments=[segment("1001", leg, end=caller.times["ended"])])]


@scenario("feature-attended-abort", "1001 types *2 1004, they talk, 1001 types *1: back with the caller, who hangs up")
async def abort(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    other = await answered(lab, "1004", does=feature(lab, leg, "*2", "1004"))
    await lab.sleep(2)
    await digits(leg, "*1")
    await other.wait("ended", 5)
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("feature-attended-swap", "1001 types *2 1004, swaps to the caller and back with *4, hangs up: joined; 1004 hangs up")
async def swap(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    other = await answered(lab, "1004", does=feature(lab, leg, "*2", "1004"))
    await lab.sleep(1)
    await digits(leg, "*4")
    await lab.sleep(2)
    await digits(leg, "*4")
    await lab.sleep(2)
    await leg.bye()
    await lab.sleep(3)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other, begin=leg.times["ended"])])]


@scenario("feature-attended-unanswered", "1001 types *2 1004, who does not answer for 15 s: back with the caller")
async def unanswered(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = ring_forever
    await feature(lab, leg, "*2", "1004")
    await lab.sleep(19)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("feature-blonde-unanswered", "1001 types *2 1004 and hangs up; 1004 does not answer: 1001 rings again and answers")
async def blonde_back(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = ring_forever
    await feature(lab, leg, "*2", "1004")
    await lab.sleep(1)
    again = await answered(lab, "1001", does=leg.bye(), timeout=60)
    await lab.sleep(3)
    await caller.bye()
    await again.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition=None,
                  hangup_by="caller", transfers=None, segments=[segment("1001", leg), segment("1001", again)])]


@scenario("local-feature-blind", "Queue of Local members, 1001 types ## 1004; 1004 answers, the caller hangs up")
async def local_blind(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["local"], "1001")
    await lab.sleep(2)
    other = await answered(lab, "1004", does=feature(lab, leg, "##", "1004"))
    await lab.sleep(3)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1001", queue="local", final_agent="1004", disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other)])]


@scenario("local-refer-back", "Queue of Local members that go, 1001 REFERs to 1004, who REFERs to 1002; 1002 hangs up")
async def local_twice(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, "+442079460212", "1001")
    await lab.sleep(2)
    second = await answered(lab, "1004", does=leg.refer("1004"))
    await lab.sleep(2)
    third = await answered(lab, "1002", does=second.refer("1002"))
    await lab.sleep(2)
    await third.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, "+442079460212", "1001", queue="passing", final_agent="1002", disposition="transferred",
                  hangup_by="agent", transfers=[move("blind", "1001", "1004"), move("blind", "1004", "1002")],
                  segments=[segment("1001", leg), segment("1004", second), segment("1002", third)])]


@scenario("local-attended", "Queue of Local members that go, 1002 holds, asks 1004, joins both; 1004 hangs up")
async def local_attended(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, "+442079460212", "1002")
    await lab.sleep(2)
    other, joined = await attended(lab, leg, "1002", "1004")
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, "+442079460212", "1002", queue="passing", final_agent="1004", disposition="transferred",
                  hangup_by="agent", wait_seconds=wait(caller, leg), transfers=[move("attended", "1002", "1004")],
                  segments=[segment("1002", leg), segment("1004", other, begin=joined)])]


@scenario("park-twice", "1001 parks the caller, 1002 fetches and parks again, 1004 fetches; the caller hangs up")
async def park_twice(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.refer("700")
    second = await fetched(lab, "1002")
    await lab.sleep(2)
    await second.refer("700")
    third = await fetched(lab, "1004")
    await lab.sleep(2)
    await caller.bye()
    await third.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="caller", transfers=[move("park", "1001", "1002"), move("park", "1002", "1004")],
                  segments=[segment("1001", leg), segment("1002", second), segment("1004", third)])]


async def fetched(lab, agent):
    await lab.sleep(2)
    lot = [m for m in await lab.ami.action(Action="ParkedCalls") if m.get("Event") == "ParkedCall"]
    leg = await lab.agents[agent].dial(lot[0]["ParkingSpace"])
    assert await leg.wait("up", 10)
    return leg


@scenario("park-feature", "1001 parks the caller with *7, 1001 fetches again; 1001 hangs up")
async def park_feature(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, "+442079461001", "1001")
    await lab.sleep(2)
    await leg.refer("700")
    again = await fetched(lab, "1001")
    await lab.sleep(3)
    await again.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, "+442079461001", "1001", queue=None, final_agent="1001", disposition="transferred",
                  hangup_by="agent", transfers=[move("park", "1001", "1001")], segments=[segment("1001", leg), segment("1001", again)])]


@scenario("outbound-customer-leaves-consult", "1002 dials out, holds, asks 1004; the customer hangs up; the agents part")
async def outbound_consult(lab):
    customer = lab.number()
    before = len(lab.trunk.history)
    lab.trunk.behaviour = answer_after(1)
    leg = await lab.agents["1002"].dial(customer)
    assert await leg.wait("up", 15)
    out = lab.trunk.history[before]
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1004"].behaviour = answer_after(1)
    consult = await lab.agents["1002"].dial("1004")
    assert await consult.wait("up", 10)
    await lab.sleep(2)
    await out.bye()
    await leg.wait("ended", 5)
    await lab.sleep(2)
    await consult.bye()
    return [lab.call(leg, direction="outbound", caller_number="1002", called=customer, agent="1002", answered_by="customer", agents_rung=None,
                     disposition="answered", final_agent="1002", hangup_by="customer",
                     segments=[{"agent": "1002", "seconds": span(leg.times["up"], leg.times["ended"])}],
                     _channel="PJSIP/1002-", _exten=customer),
            asks(lab, consult, "1002", "1004", answered_by="1004", disposition="answered", hangup_by="caller")]
