"""The AMI link is lost and comes back at awkward moments: what is told is still one call, and the right one."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import DID, answer_after, ring_forever, scenario
from pieces import (
    SUPPORT,
    answered,
    asks,
    called_out,
    digits,
    feature,
    move,
    outside,
    reached,
    recapture,
    segment,
    span,
    truth,
    wait,
)

OWN = {"own_capture": True}


async def away(lab, n, seconds=0.0, does=None):
    """The link is lost, something happens, the link comes back as the n-th."""
    await lab.capture.stop()
    found = await does if does is not None else None
    await lab.sleep(seconds)
    await recapture(lab, n)
    return found


@scenario("cut-ring", "The link is lost while an extension rings and back before 1004 answers; 1004 hangs up", **OWN)
async def ring(lab):
    await recapture(lab, 1)
    number = lab.number()
    lab.agents["1004"].behaviour = answer_after(6)
    caller = await lab.inbound(number, "+442079461004", "Rita Ring")
    leg = await lab.agent_call("1004")
    await lab.sleep(2)
    await away(lab, 2, 1)
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, "+442079461004", "1004", caller_name="Rita Ring", queue=None, final_agent="1004", agents_rung=["1004"],
                  disposition="answered", hangup_by="agent", talk_seconds=span(leg.times["up"], leg.times["ended"]),
                  segments=[segment("1004", leg)])]


@scenario("cut-hold", "1001 holds; the link is lost, 1001 goes on in the gap; the caller hangs up later", **OWN)
async def hold(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(2)
    await away(lab, 2, 2, leg.unhold())
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  wait_seconds=wait(caller, leg), hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("cut-held", "The link is lost and back while the caller is held; 1001 goes on, 1001 hangs up", **OWN)
async def held(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(1)
    await away(lab, 2, 2)
    await lab.sleep(1)
    await leg.unhold()
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", holds=[{"agent": "1001", "seconds": 4.3}], segments=[segment("1001", leg)])]


async def dialled(lab, agent, to):
    lab.agents[to].behaviour = answer_after(1)
    consult = await lab.agents[agent].dial(to)
    assert await consult.wait("up", 10)
    return consult


@scenario("cut-consult-began", "1001 holds; in the gap 1001 asks 1004; the link is back, 1001 joins both; 1004 hangs up", **OWN)
async def consult_began(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    await lab.sleep(1)
    consult = await away(lab, 2, 1, dialled(lab, "1001", "1004"))
    other = lab.agents["1004"].history[-1]
    await lab.sleep(2)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other, begin=leg.times["ended"])])]


@scenario("cut-consult-joined", "1001 asks 1004; in the gap 1001 joins both; the link is back, the caller hangs up", **OWN)
async def consult_joined(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    consult = await dialled(lab, "1001", "1004")
    other = lab.agents["1004"].history[-1]
    await lab.sleep(2)
    await away(lab, 2, 1, leg.refer_to_call(consult))
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="caller", transfers=[move("attended", "1001", "1004")], segments=None)]


@scenario("cut-consult-off", "1001 asks 1004; in the gap they part; the link is back, 1001 goes on with the caller", **OWN)
async def consult_off(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await leg.hold()
    consult = await dialled(lab, "1001", "1004")
    await lab.sleep(2)
    await away(lab, 2, 1, consult.bye())
    await leg.unhold()
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)]),
            asks(lab, consult, "1001", "1004", answered_by="1004", disposition="answered", hangup_by=None, total_seconds=None)]


@scenario("cut-parked", "1001 parks the caller; the link is lost and back; 1002 fetches; the caller hangs up", **OWN)
async def parked(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await leg.refer("700")
    await lab.sleep(1)
    await away(lab, 2, 1)
    fetch = await fetched(lab, "1002")
    await lab.sleep(2)
    await caller.bye()
    await fetch.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="caller", transfers=[move("park", "1001", "1002")], segments=[segment("1001", leg), segment("1002", fetch)])]


async def fetched(lab, agent):
    lot = [m for m in await lab.ami.action(Action="ParkedCalls") if m.get("Event") == "ParkedCall"]
    leg = await lab.agents[agent].dial(lot[0]["ParkingSpace"])
    assert await leg.wait("up", 10)
    return leg


@scenario("cut-twice", "The link is lost twice while 1001 talks, the second time 1001 REFERs to 1004; 1004 hangs up", **OWN)
async def twice(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await away(lab, 2, 1)
    await lab.sleep(2)
    other = await away(lab, 3, 1, answered(lab, "1004", does=leg.refer("1004")))
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("blind", "1001", "1004")], segments=None)]


@scenario("cut-blind-ring", "1001 REFERs to 1004, who rings; the link is lost and back; 1004 answers; the caller hangs up", **OWN)
async def blind_ring(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(6)
    await leg.refer("1004")
    other = await lab.agent_call("1004")
    await lab.sleep(1)
    await away(lab, 2, 1)
    assert await other.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other)])]


@scenario("cut-blind-sent", "In the gap 1001 REFERs to 1004; the link is back while 1004 rings; 1004 answers and hangs up", **OWN)
async def blind_sent(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1004"].behaviour = answer_after(6)
    await away(lab, 2, 1, leg.refer("1004"))
    other = await lab.agent_call("1004")
    assert await other.wait("up", 10)
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("blind", "1001", "1004")], segments=None)]


@scenario("cut-outbound", "1002 dials out; the customer answers in the gap; the link is back, the customer hangs up", **OWN)
async def outbound_answered(lab):
    await recapture(lab, 1)
    customer = lab.number()
    lab.trunk.behaviour = answer_after(3)
    leg = await lab.agents["1002"].dial(customer)
    await outside(lab, 0, "ringing")
    await lab.sleep(1)
    out = await away(lab, 2, 2, outside(lab, 0))
    await lab.sleep(2)
    await out.bye()
    await leg.wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, answered_by="customer", disposition="answered", final_agent="1002", hangup_by="customer")]


@scenario("cut-outbound-begun", "In the gap 1002 dials out; the customer rings when the link is back, answers; 1002 hangs up", **OWN)
async def outbound_begun(lab):
    await recapture(lab, 1)
    customer = lab.number()
    lab.trunk.behaviour = answer_after(4)
    leg = await away(lab, 2, 1, lab.agents["1002"].dial(customer))
    out = await outside(lab, 0)
    await lab.sleep(3)
    await leg.bye()
    await out.wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, answered_by="customer", disposition="answered", final_agent="1002", hangup_by="agent")]


@scenario("cut-waiting-begun", "In the gap a caller comes to the queue; the link is back while phones ring; 1003 answers", **OWN)
async def waiting_begun(lab):
    await recapture(lab, 1)
    number = lab.number()
    lab.agents["1003"].behaviour = answer_after(6)
    caller = await away(lab, 2, 2, lab.inbound(number, DID["support"], "Gap Gabi"))
    leg = await lab.agent_call("1003")
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1003", caller_name="Gap Gabi", queue="support", final_agent="1003", agents_rung=SUPPORT,
                  disposition="answered", hangup_by="caller", wait_seconds=wait(caller, leg), segments=[segment("1003", leg)])]


@scenario("cut-waiting-unanswered", "In the gap a caller comes to the queue; the link is back, the caller gives up", **OWN)
async def waiting_left(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller = await away(lab, 2, 2, lab.inbound(number, DID["support"]))
    await lab.sleep(3)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], None, queue="support", disposition="abandoned", hangup_by="caller",
                  wait_seconds=span(caller.times["up"], caller.times["ended"]))]


@scenario("cut-mailbox", "The link is lost and back while a caller speaks to mailbox 2000", **OWN)
async def mailbox(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller = await lab.inbound(number, "+442079460214")
    await lab.sleep(3)
    await away(lab, 2, 1)
    await lab.sleep(2)
    await caller.bye()
    return [truth(lab, caller, number, "+442079460214", None, queue=None, disposition="voicemail", mailbox="2000", hangup_by="caller")]


@scenario("cut-feature-consult", "1001 types *2 1004, they talk; the link is lost and back; 1001 hangs up: joined; 1004 hangs up", **OWN)
async def feature_consult(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    other = await answered(lab, "1004", does=feature(lab, leg, "*2", "1004"))
    await lab.sleep(1)
    await away(lab, 2, 1)
    await lab.sleep(1)
    await leg.bye()
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("attended", "1001", "1004")],
                  segments=[segment("1001", leg), segment("1004", other, begin=leg.times["ended"])])]


@scenario("cut-local", "Queue of Local members, 1002 answers in the gap; the link is back; 1002 REFERs to 1004, who hangs up", **OWN)
async def local(lab):
    await recapture(lab, 1)
    number = lab.number()
    lab.agents["1002"].behaviour = answer_after(4)
    lab.agents["1001"].behaviour = ring_forever
    caller = await lab.inbound(number, DID["local"])
    leg = await lab.agent_call("1002")
    await lab.sleep(2)
    await away(lab, 2, 2, leg.wait("up", 10))
    await lab.sleep(1)
    other = await answered(lab, "1004", does=leg.refer("1004"))
    await lab.sleep(2)
    await other.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1002", queue="local", final_agent="1004", disposition="transferred",
                  hangup_by="agent", transfers=[move("blind", "1002", "1004")], segments=None)]


@scenario("cut-menu", "In the gap a caller comes to a menu; the link is back, the caller presses 1, 1001 answers and hangs up", **OWN)
async def menu(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller = await away(lab, 2, 1, lab.inbound(number, "+442079460205"))
    leg = await answered(lab, "1001", does=digits(caller, "1"))
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    # The line that was called is in none of the lists that a fresh listener asks for.
    return [truth(lab, caller, number, "+442079460205", "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", segments=[segment("1001", leg)], loose=["called"])]


@scenario("cut-park-sent", "In the gap 1001 parks the caller; the link is back, 1002 fetches; the caller hangs up", **OWN)
async def park_sent(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await away(lab, 2, 1, leg.refer("700"))
    await lab.sleep(1)
    fetch = await fetched(lab, "1002")
    await lab.sleep(2)
    await caller.bye()
    await fetch.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="caller", transfers=[move("park", "1001", "1002")], segments=None)]


@scenario("cut-queue-sent", "In the gap 1001 REFERs to queue 2001; the link is back while the caller waits; the caller gives up", **OWN)
async def queue_sent(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    lab.agents["1001"].behaviour = lab.agents["1002"].behaviour = ring_forever
    await away(lab, 2, 1, leg.refer("2001"))
    await lab.sleep(3)
    await caller.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent=None, disposition="transferred",
                  hangup_by="caller", transfers=[move("blind", "1001", "2001", False)], segments=None)]


@scenario("cut-conference", "A caller waits in conference 8001; the link is lost and back; 1001 joins; the caller hangs up", **OWN)
async def conference(lab):
    await recapture(lab, 1)
    number = lab.number()
    caller = await lab.inbound(number, DID["conference"])
    await lab.sleep(2)
    await away(lab, 2, 1)
    ours = await lab.agents["1001"].dial("8001")
    assert await ours.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await lab.sleep(1)
    await ours.bye()
    return [truth(lab, caller, number, DID["conference"], None, queue=None, disposition="conference", conference="8001", hangup_by="caller"),
            lab.call(ours, direction="internal", caller_number="1001", called="8001", disposition="conference", conference="8001",
                     agents_rung=None, _channel="PJSIP/1001-")]


@scenario("cut-abandoned", "A caller waits; in the gap the caller gives up and a second one comes; 1001 answers that one", **OWN)
async def abandoned(lab):
    await recapture(lab, 1)
    one, two = lab.number(), lab.number()
    first = await lab.inbound(one, DID["support"])
    await lab.agent_call("1001")
    await lab.sleep(2)
    await lab.capture.stop()
    await first.bye()
    await lab.sleep(1)
    lab.agents["1001"].behaviour = answer_after(4)
    second = await lab.inbound(two, DID["support"])
    leg = await lab.agent_call("1001", 2)
    await lab.sleep(1)
    await recapture(lab, 2)
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await second.bye()
    await leg.wait("ended", 5)
    return [truth(lab, first, one, DID["support"], None, queue="support", hangup_by=None, total_seconds=None, loose=["disposition"]),
            truth(lab, second, two, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered", hangup_by="caller",
                  segments=[segment("1001", leg)])]
