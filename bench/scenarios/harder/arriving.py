"""How calls come in and find somebody: overflow, empty and full queues, menus, ring groups, forwarding, pickup, mailboxes."""
import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import DID, answer_after, reject_with, ring_forever, scenario
from pieces import SUPPORT, answered, digits, move, outside, reached, segment, span, truth, wait

LINE = "+4420794602"


async def rings_nowhere(call):
    """A phone that is away."""
    call.reject(480, "Temporarily Unavailable")


def all_ring(lab):
    for phone in lab.agents.values():
        phone.behaviour = ring_forever


@scenario("overflow-answered", "Queue sales gives up after 7 s, queue support follows, 1003 answers; the caller hangs up")
async def overflow(lab):
    number = lab.number()
    all_ring(lab)
    lab.agents["1003"].behaviour = answer_after(2)
    caller = await lab.inbound(number, LINE + "00")
    leg = await lab.agent_call("1003", 1, 30)
    assert await leg.wait("up", 20)
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "00", "1003", loose=["queue"], final_agent="1003", disposition="answered",
                  hangup_by="caller", wait_seconds=wait(caller, leg), segments=[segment("1003", leg)])]


@scenario("overflow-abandoned", "Queue sales gives up after 7 s, the caller gives up in queue support")
async def overflow_abandoned(lab):
    number = lab.number()
    all_ring(lab)
    caller = await lab.inbound(number, LINE + "00")
    await lab.agent_call("1003", 1, 30)
    await lab.sleep(4)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "00", None, loose=["queue"], disposition="abandoned", hangup_by="caller",
                  wait_seconds=span(caller.times["up"], caller.times["ended"]))]


@scenario("queue-deserted-mailbox", "Nobody works in the queue: the caller speaks to mailbox 2000")
async def deserted(lab):
    number = lab.number()
    caller = await lab.inbound(number, LINE + "01", "Mona Message")
    assert await caller.wait("up", 10)
    await lab.sleep(8)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "01", None, caller_name="Mona Message", loose=["queue"], agents_rung=[],
                  disposition="voicemail", mailbox="2000", hangup_by="caller")]


@scenario("queue-deserted-next", "Nobody works in the queue: the next one follows, 1002 answers and hangs up")
async def deserted_next(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, LINE + "02", "1002")
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "02", "1002", queue="support", final_agent="1002", disposition="answered",
                  hangup_by="agent", segments=[segment("1002", leg)])]


@scenario("queue-leave-empty", "The last agent pauses while a caller waits: the caller is sent away with a voice")
async def leave_empty(lab):
    number = lab.number()
    lab.agents["1004"].behaviour = ring_forever
    caller = await lab.inbound(number, LINE + "03")
    assert await caller.wait("up", 10)
    await lab.sleep(3)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1004", Paused="true", Reason="lunch")
    await caller.wait("ended", 40)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1004", Paused="false")
    return [truth(lab, caller, number, LINE + "03", None, queue="leaver", agents_rung=["1004"], hangup_by="pbx",
                  loose=["disposition"])]


@scenario("queue-full", "One caller may wait: the second hears busy; the first gives up later")
async def full(lab):
    number, other = lab.number(), lab.number()
    lab.agents["1004"].behaviour = ring_forever
    caller = await lab.inbound(number, LINE + "04")
    assert await caller.wait("up", 10)
    await lab.sleep(2)
    second = await lab.inbound(other, LINE + "04")
    await second.wait("ended", 15)
    await lab.sleep(1)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "04", None, queue="narrow", agents_rung=["1004"], disposition="abandoned", hangup_by="caller",
                  wait_seconds=span(caller.times["up"], caller.times["ended"])),
            truth(lab, second, other, LINE + "04", None, agents_rung=[], hangup_by="pbx", loose=["queue", "disposition"])]


@scenario("menu-wrong-digit", "A menu: the caller presses 9, then 1; 1001 answers and hangs up")
async def wrong_digit(lab):
    number = lab.number()
    caller = await lab.inbound(number, LINE + "05")
    assert await caller.wait("up", 10)
    await lab.sleep(1)
    await digits(caller, "9")
    await lab.sleep(2)
    leg = await answered(lab, "1001", does=digits(caller, "1"))
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "05", "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", segments=[segment("1001", leg)])]


@scenario("menu-nothing-pressed", "A menu: the caller presses nothing, queue sales follows, where the caller gives up")
async def nothing_pressed(lab):
    number = lab.number()
    all_ring(lab)
    caller = await lab.inbound(number, LINE + "05")
    assert await caller.wait("up", 10)
    await asyncio.wait_for(rung(lab, "1001", "1002"), 30)
    await lab.sleep(3)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "05", None, queue="sales", disposition="abandoned", hangup_by="caller")]


async def rung(lab, *agents):
    while not any(lab.agents[agent].history for agent in agents):
        await asyncio.sleep(0.05)


@scenario("ring-group", "Three phones ring at once, 1002 answers and hangs up")
async def ring_group(lab):
    number = lab.number()
    all_ring(lab)
    caller, leg = await reached(lab, number, LINE + "06", "1002")
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "06", "1002", queue=None, agents_rung=SUPPORT, final_agent="1002", disposition="answered",
                  hangup_by="agent", wait_seconds=None, talk_seconds=span(leg.times["up"], leg.times["ended"]),
                  segments=[segment("1002", leg)])]


@scenario("ring-group-mixed", "Three phones: one is busy, one is away, one rings until the caller gives up")
async def ring_group_mixed(lab):
    number = lab.number()
    lab.agents["1001"].behaviour = reject_with(486, "Busy Here")
    lab.agents["1002"].behaviour = rings_nowhere
    lab.agents["1003"].behaviour = ring_forever
    caller = await lab.inbound(number, LINE + "06")
    await lab.sleep(5)
    await caller.cancel()
    return [truth(lab, caller, number, LINE + "06", None, queue=None, agents_rung=["1003"], disposition="abandoned", hangup_by="caller")]


@scenario("ring-group-local", "Three phones ring through Local channels, 1001 answers; the caller hangs up")
async def ring_group_local(lab):
    number = lab.number()
    all_ring(lab)
    caller, leg = await reached(lab, number, LINE + "16", "1001")
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "16", "1001", queue=None, agents_rung=SUPPORT, final_agent="1001", disposition="answered",
                  hangup_by="caller", talk_seconds=span(leg.times["up"], leg.times["ended"]), segments=[segment("1001", leg)])]


async def follow(lab, line):
    number = lab.number()
    all_ring(lab)
    lab.agents["1002"].behaviour = answer_after(2)
    caller = await lab.inbound(number, line)
    leg = await lab.agent_call("1002", 1, 30)
    assert await leg.wait("up", 20)
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, line, "1002", queue=None, agents_rung=["1001", "1002"], final_agent="1002",
                  disposition="answered", hangup_by="agent", talk_seconds=span(leg.times["up"], leg.times["ended"]),
                  segments=[segment("1002", leg)])]


@scenario("follow-me", "1001 does not answer for 5 s, 1002 rings through a Local channel that stays, and answers")
async def follow_me(lab):
    return await follow(lab, LINE + "07")


@scenario("follow-me-optimised", "The same with a Local channel that goes")
async def follow_me_gone(lab):
    return await follow(lab, LINE + "08")


@scenario("follow-me-unanswered", "1002 rings through a Local channel and does not answer for 6 s: the PBX gives up")
async def follow_unanswered(lab):
    number = lab.number()
    all_ring(lab)
    caller = await lab.inbound(number, LINE + "21")
    await caller.wait("ended", 20)
    return [truth(lab, caller, number, LINE + "21", None, queue=None, agents_rung=["1002"], disposition="no-answer", hangup_by="pbx")]


@scenario("follow-me-given-up", "1001 does not answer for 5 s, then 1002 rings through a Local channel: the caller gives up")
async def follow_given_up(lab):
    number = lab.number()
    all_ring(lab)
    caller = await lab.inbound(number, LINE + "07")
    await lab.agent_call("1002")
    await lab.sleep(3)
    await caller.cancel()
    return [truth(lab, caller, number, LINE + "07", None, queue=None, agents_rung=["1001", "1002"], disposition="abandoned",
                  hangup_by="caller")]


@scenario("early-voice", "The caller hears a voice before 1004 is rung, who answers and hangs up")
async def early(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, LINE + "09", "1004")
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "09", "1004", queue=None, agents_rung=["1004"], final_agent="1004", disposition="answered",
                  hangup_by="agent", segments=[segment("1004", leg)])]


@scenario("second-dial-tone", "The caller hears a second dial tone and dials 1002, who answers; the caller hangs up")
async def dial_tone(lab):
    number = lab.number()
    caller = await lab.inbound(number, LINE + "10")
    assert await caller.wait("up", 10)
    await lab.sleep(1)
    leg = await answered(lab, "1002", does=digits(caller, "1002"))
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "10", "1002", queue=None, agents_rung=["1002"], final_agent="1002", disposition="answered",
                  hangup_by="caller", segments=[segment("1002", leg)])]


@scenario("forwarded-outside", "The line is forwarded to a mobile, which answers; the caller hangs up")
async def forwarded(lab):
    number = lab.number()
    before = len(lab.trunk.history) + 1
    lab.trunk.behaviour = answer_after(1.5)
    caller = await lab.inbound(number, LINE + "11")
    out = await outside(lab, before)
    await lab.sleep(2)
    await caller.bye()
    await out.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "11", None, queue=None, agents_rung=[], disposition="answered", hangup_by="caller",
                  talk_seconds=span(out.times["up"], out.times["ended"]), loose=["answered_by"])]


@scenario("forwarded-by-phone", "1004's phone forwards to 1002 (302), who answers; the caller hangs up")
async def forwarded_phone(lab):
    number = lab.number()
    phone = lab.agents["1004"]
    phone.behaviour = reject_with(302, "Moved Temporarily")
    phone.contact_user = "1002"
    caller, leg = await reached(lab, number, "+442079461004", "1002")
    phone.contact_user = "1004"
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, "+442079461004", "1002", queue=None, agents_rung=["1002"], final_agent="1002", disposition="answered",
                  hangup_by="caller", talk_seconds=span(leg.times["up"], leg.times["ended"]), segments=[segment("1002", leg)])]


@scenario("forwarded-by-phone-outside", "1004's phone forwards to a mobile (302), which answers and hangs up")
async def forwarded_mobile(lab):
    number = lab.number()
    phone = lab.agents["1004"]
    phone.behaviour = reject_with(302, "Moved Temporarily")
    phone.contact_user = "+441632960998"
    before = len(lab.trunk.history) + 1
    lab.trunk.behaviour = answer_after(1.5)
    caller = await lab.inbound(number, "+442079461004")
    out = await outside(lab, before)
    phone.contact_user = "1004"
    await lab.sleep(2)
    await out.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, "+442079461004", None, queue=None, agents_rung=[], disposition="answered", hangup_by=None,
                  talk_seconds=span(out.times["up"], out.times["ended"]), loose=["answered_by"])]


@scenario("passing-members", "Queue of Local members that go, 1002 answers; the caller hangs up")
async def passing_members(lab):
    number = lab.number()
    all_ring(lab)
    caller, leg = await reached(lab, number, LINE + "12", "1002", "Lena Local")
    await lab.sleep(2)
    await leg.hold()
    await lab.sleep(2)
    await leg.unhold()
    await lab.sleep(1)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "12", "1002", caller_name="Lena Local", queue="passing", agents_rung=["1001", "1002"],
                  final_agent="1002", disposition="answered", hangup_by="caller", wait_seconds=wait(caller, leg),
                  holds=[{"agent": "1002", "seconds": 2.0}], segments=[segment("1002", leg)])]


@scenario("closed", "A voice says that the firm is closed and hangs up")
async def closed(lab):
    number = lab.number()
    caller = await lab.inbound(number, LINE + "13")
    await caller.wait("ended", 20)
    return [truth(lab, caller, number, LINE + "13", None, queue=None, agents_rung=[], hangup_by="pbx", loose=["disposition"])]


@scenario("mailbox-straight", "The caller speaks to mailbox 2000 without anybody's phone ringing")
async def mailbox(lab):
    number = lab.number()
    caller = await lab.inbound(number, LINE + "14", "Mona Message")
    assert await caller.wait("up", 10)
    await lab.sleep(5)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "14", None, caller_name="Mona Message", queue=None, agents_rung=[], disposition="voicemail",
                  mailbox="2000", hangup_by="caller")]


@scenario("mailbox-busy", "1002 is busy, the caller speaks to mailbox 1002")
async def mailbox_busy(lab):
    number = lab.number()
    lab.agents["1002"].behaviour = reject_with(486, "Busy Here")
    caller = await lab.inbound(number, LINE + "19")
    await lab.sleep(8)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "19", None, queue=None, agents_rung=[], disposition="voicemail", mailbox="1002", hangup_by="caller")]


@scenario("queue-unanswered-mailbox", "An unanswered queue rings 5 s, then the mailbox; the caller hangs up in the greeting")
async def unanswered_mailbox(lab):
    number = lab.number()
    lab.agents["1004"].behaviour = ring_forever
    caller = await lab.inbound(number, LINE + "20")
    assert await caller.wait("up", 20)
    await lab.sleep(2)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "20", None, queue="short", agents_rung=["1004"], disposition="voicemail", mailbox="2000",
                  hangup_by="caller")]


@scenario("question-after", "1001 answers and hangs up; the caller is asked to mark the call, and hangs up there")
async def question(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, LINE + "15", "1001")
    await lab.sleep(2)
    await leg.bye()
    await lab.sleep(3)
    await caller.bye()
    return [truth(lab, caller, number, LINE + "15", "1001", queue="support", final_agent="1001", disposition="answered", hangup_by=None,
                  wait_seconds=wait(caller, leg), talk_seconds=span(leg.times["up"], leg.times["ended"]), segments=[segment("1001", leg)])]


@scenario("told-first", "1001 answers and hears a voice before the caller; they talk, 1001 hangs up")
async def told_first(lab):
    number = lab.number()
    all_ring(lab)
    caller, leg = await reached(lab, number, LINE + "17", "1001")
    await lab.sleep(5)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "17", "1001", queue="support", agents_rung=SUPPORT, final_agent="1001",
                  disposition="answered", hangup_by="agent", segments=None)]


@scenario("recorded-late", "1001 answers and starts recording with *3 after 2 s; the caller hangs up")
async def recorded_late(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, LINE + "18", "1001")
    await lab.sleep(2)
    await digits(leg, "*3")
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, LINE + "18", "1001", queue="support", final_agent="1001", disposition="answered", hangup_by="caller",
                  recorded=True, segments=[segment("1001", leg)])]


@scenario("picked-up", "1004 rings, 1002 picks the call up with *8; the caller hangs up")
async def picked_up(lab):
    number = lab.number()
    lab.agents["1004"].behaviour = ring_forever
    caller = await lab.inbound(number, "+442079461004")
    await lab.agent_call("1004")
    await lab.sleep(2)
    pick = await lab.agents["1002"].dial("*8")
    assert await pick.wait("up", 10)
    await lab.sleep(3)
    await caller.bye()
    await pick.wait("ended", 5)
    return [truth(lab, caller, number, "+442079461004", "1002", queue=None, final_agent="1002", disposition="answered", hangup_by="caller",
                  agents_rung=["1004"], talk_seconds=span(pick.times["up"], pick.times["ended"]), segments=[segment("1002", pick)])]


@scenario("picked-up-from-queue", "Queue support rings, 1004 picks up 1001's call with **1001; 1004 hangs up")
async def picked_queue(lab):
    number = lab.number()
    all_ring(lab)
    caller = await lab.inbound(number, DID["support"])
    await lab.agent_call("1001")
    await lab.sleep(2)
    pick = await lab.agents["1004"].dial("**1001")
    assert await pick.wait("up", 10)
    await lab.sleep(3)
    await pick.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1004", queue="support", final_agent="1004", disposition="answered",
                  hangup_by="agent", agents_rung=SUPPORT, wait_seconds=wait(caller, pick),
                  talk_seconds=span(pick.times["up"], pick.times["ended"]), segments=[segment("1004", pick)])]


@scenario("picked-up-internal", "1001 dials 1004, 1002 picks it up with *8 and REFERs to 1003")
async def picked_internal(lab):
    lab.agents["1004"].behaviour = ring_forever
    caller = await lab.agents["1001"].dial("1004")
    await lab.agent_call("1004")
    await lab.sleep(1)
    pick = await lab.agents["1002"].dial("*8")
    assert await pick.wait("up", 10)
    await lab.sleep(2)
    other = await answered(lab, "1003", does=pick.refer("1003"))
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    return [lab.call(caller, direction="internal", caller_number="1001", called="1004", agents_rung=None, answered_by="1002",
                     disposition="transferred", final_agent="1003", hangup_by="caller", transfers=[move("blind", "1002", "1003")],
                     segments=[segment("1002", pick), segment("1003", other)], _channel="PJSIP/1001-", _exten="1004")]


@scenario("three-tries", "Queue support: 1001 rejects, 1002 is busy, 1003 answers after a while and hangs up")
async def three_tries(lab):
    number = lab.number()
    lab.agents["1001"].behaviour = reject_with(603, "Decline", 1)
    lab.agents["1002"].behaviour = reject_with(486, "Busy Here")
    lab.agents["1003"].behaviour = answer_after(3)
    caller = await lab.inbound(number, DID["support"])
    leg = await lab.agent_call("1003")
    assert await leg.wait("up", 20)
    await lab.sleep(2)
    await leg.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1003", queue="support", final_agent="1003", disposition="answered",
                  hangup_by="agent", agents_rung=["1001", "1003"], segments=[segment("1003", leg)])]
