"""Who calls: names and numbers of all kinds; outbound calls and orders that go wrong; two calls at once; supervisors beside."""
import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import AGENTS, DID, answer_after, reject_with, ring_forever, scenario
from pieces import SUPPORT, answered, called_out, digits, move, outbound, outside, reached, segment, span, truth, wait


async def plain(lab, number, name, from_header=None, headers=()):
    """Queue support, 1001 answers, the caller hangs up."""
    lab.agents["1001"].behaviour = answer_after(1.5)
    caller = await lab.trunk.dial(DID["support"], from_user=number, name=name, from_header=from_header, headers=headers)
    leg = await lab.agent_call("1001")
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return caller, leg


def begun(lab):
    """The first channel that came in from outside."""
    return next(row["linkedid"] for row in lab.cel_rows() if row["type"] == "CHAN_START" and row["context"] == "from-trunk")


async def named(lab, name):
    number = lab.number()
    caller, leg = await plain(lab, number, name)
    return [truth(lab, caller, number, DID["support"], "1001", caller_name=name, queue="support", final_agent="1001",
                  disposition="answered", hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("name-chinese", "A caller's name in Chinese")
async def chinese(lab):
    return await named(lab, "张三丰客户（北京）有限公司")


@scenario("name-quoted", "A caller's name with quotes and a backslash")
async def quoted(lab):
    return await named(lab, 'Dr. "Bob" O\'Neil \\ Sons')


@scenario("name-signs", "A caller's name with an emoji, a tag, a colon and a comma")
async def signs(lab):
    return await named(lab, "Ann 😀 <b>Event: Hangup</b>, Ltd; x=1")


@scenario("name-long", "A caller's name of 79 bytes, as much as the switch takes")
async def long_name(lab):
    return await named(lab, "Aktiengesellschaft " * 3 + "für Übertragungstech")


async def numbered(lab, shown, number, name=None, **facts):
    caller, leg = await plain(lab, number, name)
    return [truth(lab, caller, shown, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)], linkedid=begun(lab), **facts)]


@scenario("number-double-zero", "A caller's number with 00 before the country")
async def double_zero(lab):
    return await numbered(lab, "00441632960777", "00441632960777")


@scenario("number-short", "A caller's number of four digits, which is no agent's")
async def short_number(lab):
    return await numbered(lab, "2222", "2222", "Neighbour")


@scenario("number-national", "A caller's number in its national form")
async def national(lab):
    return await numbered(lab, "01632960778", "01632960778")


@scenario("number-none", "A caller without number and name")
async def no_number(lab):
    caller, leg = await plain(lab, "", None, from_header="<sip:127.0.0.1>")
    return [truth(lab, caller, None, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)], linkedid=begun(lab))]


@scenario("number-anonymous", "An anonymous caller")
async def anonymous(lab):
    caller, leg = await plain(lab, "", None, from_header='"Anonymous" <sip:anonymous@anonymous.invalid>')
    return [truth(lab, caller, "anonymous", DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)])]


async def fails(lab, status, text, disposition, prefix="", after=0.0):
    customer = lab.number()
    lab.trunk.behaviour = reject_with(status, text, after)
    leg = await lab.agents["1002"].dial(prefix + customer)
    await leg.wait("ended", 30)
    return [called_out(lab, leg, "1002", customer, answered_by=None, disposition=disposition, hangup_by="pbx", _exten=prefix + customer)]


@scenario("outbound-unknown", "1002 dials a number that does not exist (404)")
async def unknown(lab):
    return await fails(lab, 404, "Not Found", "failed")


@scenario("outbound-no-route", "1002 dials, the provider has no line (503)")
async def no_route(lab):
    return await fails(lab, 503, "Service Unavailable", "failed")


@scenario("outbound-away", "1002 dials, the mobile rings and is away (480)")
async def away(lab):
    return await fails(lab, 480, "Temporarily Unavailable", None, after=2)


@scenario("outbound-busy", "1002 dials, the customer is busy (486)")
async def busy(lab):
    return await fails(lab, 486, "Busy Here", "busy")


@scenario("outbound-local-busy", "1002 dials through a Local channel, the customer is busy")
async def local_busy(lab):
    return await fails(lab, 486, "Busy Here", "busy", prefix="9", after=1)


@scenario("outbound-local", "1002 dials through a Local channel, the customer answers and hangs up")
async def local(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", "9" + customer)
    await lab.sleep(3)
    await out.bye()
    await leg.wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, answered_by="customer", disposition="answered", final_agent="1002",
                       hangup_by="customer", talk_seconds=span(out.times["up"], out.times["ended"]), _exten="9" + customer,
                       segments=[segment("1002", out)])]


@scenario("outbound-local-refer", "1002 dials through a Local channel, the customer answers; REFER to 1004; the customer hangs up")
async def local_refer(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", "9" + customer)
    await lab.sleep(2)
    other = await answered(lab, "1004", does=leg.refer("1004"))
    await lab.sleep(2)
    await out.bye()
    await other.wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, answered_by="customer", disposition="transferred", final_agent="1004",
                       hangup_by="customer", total_seconds=None, transfers=[move("blind", "1002", "1004")], _exten="9" + customer,
                       segments=[segment("1002", leg), segment("1004", other)])]


@scenario("outbound-second-route", "1002 dials, the first route fails (503), the customer answers by the second; 1002 hangs up")
async def second_route(lab):
    customer = lab.number()
    tries = []

    async def behave(call):
        tries.append(call)
        await (reject_with(503, "Service Unavailable") if len(tries) == 1 else answer_after(1.5))(call)
    lab.trunk.behaviour = behave
    leg = await lab.agents["1002"].dial("7" + customer)
    assert await leg.wait("up", 15)
    await lab.sleep(3)
    await leg.bye()
    await tries[1].wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, answered_by="customer", disposition="answered", final_agent="1002", hangup_by="agent",
                       talk_seconds=span(tries[1].times["up"], tries[1].times["ended"]), _exten="7" + customer)]


async def order(lab, agent, to, **more):
    await lab.ami.action(Action="Originate", Channel="PJSIP/" + agent, Context="internal", Exten=to, Priority="1",
                         CallerID=f'"Click to call" <{to}>', Timeout="12000", Async="true", **more)


@scenario("click-agent-gives-up", "Click to call: 1001 answers, the customer rings, 1001 hangs up")
async def click_gives_up(lab):
    customer = lab.number()
    lab.trunk.behaviour = ring_forever
    leg = await answered(lab, "1001", does=order(lab, "1001", customer))
    await outside(lab, 0, "ringing")
    await lab.sleep(3)
    await leg.bye()
    return [called_out(lab, leg, "1001", customer, answered_by=None, disposition="abandoned", hangup_by="agent", _exten=None)]


@scenario("click-number-unknown", "Click to call: 1001 answers, the customer's number does not exist")
async def click_unknown(lab):
    customer = lab.number()
    lab.trunk.behaviour = reject_with(404, "Not Found")
    leg = await answered(lab, "1001", does=order(lab, "1001", customer))
    await leg.wait("ended", 20)
    return [called_out(lab, leg, "1001", customer, answered_by=None, disposition="failed", hangup_by="pbx", _exten=None)]


@scenario("click-agent-away", "Click to call: 1001's phone is away (480)")
async def click_away(lab):
    customer = lab.number()
    lab.agents["1001"].behaviour = None
    await order(lab, "1001", customer)
    leg = await lab.agent_call("1001")
    await lab.sleep(2)
    return [called_out(lab, leg, "1001", customer, answered_by=None, disposition="agent-no-answer", hangup_by=None, _exten=None,
                       total_seconds=None)]


@scenario("click-agent-busy", "Click to call: 1001's phone is busy (486)")
async def click_busy(lab):
    customer = lab.number()
    lab.agents["1001"].behaviour = reject_with(486, "Busy Here")
    await order(lab, "1001", customer)
    leg = await lab.agent_call("1001")
    await lab.sleep(2)
    return [called_out(lab, leg, "1001", customer, answered_by=None, disposition="agent-no-answer", hangup_by=None, _exten=None,
                       total_seconds=None)]


@scenario("click-inside", "Click to call: 1001, then 1002, who answers; 1001 hangs up")
async def click_inside(lab):
    lab.agents["1002"].behaviour = answer_after(1.5)
    leg = await answered(lab, "1001", does=order(lab, "1001", "1002"))
    other = await lab.agent_call("1002")
    assert await other.wait("up", 10)
    await lab.sleep(2)
    await leg.bye()
    await other.wait("ended", 5)
    return [called_out(lab, leg, "1001", "1002", disposition="answered", hangup_by=None, _exten=None,
                       talk_seconds=span(other.times["up"], other.times["ended"]), loose=["direction", "answered_by"])]


@scenario("click-attended", "Click to call: 1001 and the customer; 1001 holds, asks 1004, joins both; the customer hangs up")
async def click_attended(lab):
    customer = lab.number()
    lab.trunk.behaviour = answer_after(1)
    leg = await answered(lab, "1001", does=order(lab, "1001", customer))
    out = await outside(lab, 0)
    await lab.sleep(1)
    await leg.hold()
    lab.agents["1004"].behaviour = answer_after(1)
    consult = await lab.agents["1001"].dial("1004")
    assert await consult.wait("up", 10)
    other = await lab.agent_call("1004")
    await lab.sleep(1)
    assert await leg.refer_to_call(consult) == 202
    await lab.sleep(2)
    await out.bye()
    await other.wait("ended", 5)
    return [called_out(lab, leg, "1001", customer, answered_by="customer", disposition="transferred", final_agent="1004",
                       hangup_by="customer", total_seconds=None, transfers=[move("attended", "1001", "1004")], _exten=None,
                       segments=[segment("1001", leg, begin=out.times["up"]), segment("1004", other, begin=leg.times["ended"])])]


@scenario("outbound-voicemail-of-ours", "1001 dials 1004, which is busy")
async def internal_busy(lab):
    lab.agents["1004"].behaviour = reject_with(486, "Busy Here")
    leg = await lab.agents["1001"].dial("1004")
    await leg.wait("ended", 15)
    return [lab.call(leg, direction="internal", caller_number="1001", called="1004", agents_rung=[], answered_by=None, disposition="busy",
                     _channel="PJSIP/1001-", _exten="1004")]


@scenario("internal-queue", "1004 dials queue 2000, 1002 answers and hangs up")
async def internal_queue(lab):
    lab.agents["1002"].behaviour = answer_after(1.5)
    leg = await lab.agents["1004"].dial("2000")
    other = await lab.agent_call("1002")
    assert await other.wait("up", 10)
    await lab.sleep(2)
    await other.bye()
    await leg.wait("ended", 5)
    return [lab.call(leg, direction="internal", caller_number="1004", called="2000", queue="support", agents_rung=None, answered_by="1002",
                     disposition="answered", final_agent="1002", hangup_by="agent", segments=[segment("1002", other)],
                     _channel="PJSIP/1004-", _exten="2000")]


@scenario("one-number-twice", "The same number calls twice at once; 1001 and 1002 answer; both callers hang up")
async def twice(lab):
    number = lab.number()
    lab.agents["1003"].behaviour = lab.agents["1002"].behaviour = ring_forever
    first, leg = await reached(lab, number, DID["support"], "1001")
    lab.agents["1001"].behaviour = ring_forever
    second, other = await reached(lab, number, "+442079461002", "1002")
    await lab.sleep(2)
    await first.bye()
    await lab.sleep(2)
    await second.bye()
    await other.wait("ended", 5)
    return [truth(lab, first, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered", hangup_by="caller",
                  agents_rung=SUPPORT, segments=[segment("1001", leg)]),
            truth(lab, second, number, "+442079461002", "1002", queue=None, final_agent="1002", disposition="answered", hangup_by="caller",
                  agents_rung=["1002"], segments=[segment("1002", other)])]


@scenario("call-waiting", "1001 talks; a second caller rings 1001 and gives up; the first goes on")
async def call_waiting(lab):
    one, two = lab.number(), lab.number()
    first, leg = await reached(lab, one, "+442079461001", "1001")
    lab.agents["1001"].behaviour = ring_forever
    second = await lab.inbound(two, "+442079461001")
    await lab.agent_call("1001", 2)
    await lab.sleep(3)
    await second.cancel()
    await lab.sleep(2)
    await leg.bye()
    await first.wait("ended", 5)
    return [truth(lab, first, one, "+442079461001", "1001", queue=None, final_agent="1001", disposition="answered", hangup_by="agent",
                  segments=[segment("1001", leg)]),
            truth(lab, second, two, "+442079461001", None, queue=None, agents_rung=["1001"], disposition="abandoned", hangup_by="caller")]


@scenario("answer-and-leave", "1001 answers in the moment in which the caller hangs up")
async def answer_and_leave(lab):
    number = lab.number()
    lab.agents["1001"].behaviour = ring_forever
    caller = await lab.inbound(number, DID["support"])
    leg = await lab.agent_call("1001")
    await lab.sleep(2)
    await asyncio.gather(leg.answer(), caller.bye())
    await leg.wait("ended", 10)
    return [truth(lab, caller, number, DID["support"], None, queue="support", hangup_by="caller", loose=["disposition", "answered_by"])]


@scenario("gone-at-once", "A caller hangs up a quarter of a second after dialling an extension")
async def at_once(lab):
    number = lab.number()
    lab.agents["1004"].behaviour = ring_forever
    caller = await lab.inbound(number, "+442079461004")
    await lab.sleep(0.25)
    await caller.cancel()
    return [truth(lab, caller, number, "+442079461004", None, queue=None, disposition="abandoned", hangup_by="caller")]


@scenario("listened-to", "1001 talks; 1004 listens in by 5551001 for 3 s; the caller hangs up")
async def listened(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    spy = await lab.agents["1004"].dial("5551001")
    assert await spy.wait("up", 10)
    await lab.sleep(3)
    await spy.bye()
    await lab.sleep(1)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("ami-hangs-up-caller", "1001 talks; AMI Hangup of the caller's channel")
async def hangs_up_caller(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await lab.ami.action(Action="Hangup", Channel=await lab.channel(number))
    await caller.wait("ended", 5)
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", segments=[segment("1001", leg)])]


@scenario("ami-hangs-up-agent", "1001 talks; AMI Hangup of the agent's channel")
async def hangs_up_agent(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    await lab.ami.action(Action="Hangup", Channel=await lab.channel(name="PJSIP/1001-"))
    await caller.wait("ended", 5)
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="agent", segments=[segment("1001", leg)])]


@scenario("ami-hangs-up-waiting", "AMI Hangup of a caller who waits in the queue")
async def hangs_up_waiting(lab):
    number = lab.number()
    caller = await lab.inbound(number, DID["support"])
    await lab.agent_call("1001")
    await lab.sleep(2)
    await lab.ami.action(Action="Hangup", Channel=await lab.channel(number))
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], None, queue="support", agents_rung=SUPPORT, disposition="abandoned", hangup_by=None,
                  wait_seconds=span(caller.times["up"], caller.times["ended"]))]


@scenario("ami-bridges", "A caller talks with 1001; AMI Bridge gives the caller to 1002, who waits off-hook")
async def ami_bridges(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    other = await answered(lab, "1002", does=lab.ami.action(
        Action="Originate", Channel="PJSIP/1002", Application="Wait", Data="60", Timeout="15000", Async="true"))
    await lab.sleep(2)
    await lab.ami.action(Action="Bridge", Channel1=await lab.channel(number), Channel2=await lab.channel(name="PJSIP/1002-"), Tone="no")
    bridged = asyncio.get_running_loop().time()
    await lab.sleep(3)
    await caller.bye()
    await other.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1002", disposition="transferred",
                  hangup_by="caller", transfers=None, segments=[segment("1001", leg), segment("1002", other, begin=bridged)])]


@scenario("redirect-both", "1001 talks; AMI Redirect of the caller to 1004 and of 1001 into conference 8001; 1004 answers")
async def redirect_both(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(2)
    channel, ours = await lab.channel(number), await lab.channel(name="PJSIP/1001-")
    moved = asyncio.get_running_loop().time()
    other = await answered(lab, "1004", does=lab.ami.action(
        Action="Redirect", Channel=channel, Context="internal", Exten="1004", Priority="1",
        ExtraChannel=ours, ExtraContext="internal", ExtraExten="8001", ExtraPriority="1"))
    await lab.sleep(2)
    await caller.bye()
    await other.wait("ended", 5)
    await leg.bye()
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1004", disposition="transferred",
                  hangup_by="caller", total_seconds=None, transfers=[move("blind", "1001", "1004")],
                  segments=[segment("1001", leg, end=moved), segment("1004", other)])]


@scenario("redirect-twice", "1001 talks; AMI Redirect of the caller to 1004, who answers, then to 1002, who answers and hangs up")
async def redirect_twice(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["local"], "1001")
    await lab.sleep(2)
    second = await answered(lab, "1004", does=redirect(lab, number, "1004"))
    await lab.sleep(2)
    third = await answered(lab, "1002", does=redirect(lab, number, "1002"))
    await lab.sleep(2)
    await third.bye()
    await caller.wait("ended", 5)
    return [truth(lab, caller, number, DID["local"], "1001", queue="local", final_agent="1002", disposition="transferred",
                  hangup_by="agent", transfers=[move("blind", "1001", "1004"), move("blind", "1004", "1002")],
                  segments=[segment("1001", leg), segment("1004", second), segment("1002", third)])]


async def redirect(lab, number, to):
    await lab.ami.action(Action="Redirect", Channel=await lab.channel(number), Context="internal", Exten=to, Priority="1")


@scenario("redirect-waiting", "A caller waits in queue support; AMI Redirect to 1004, who answers; the caller hangs up")
async def redirect_waiting(lab):
    number = lab.number()
    caller = await lab.inbound(number, DID["support"])
    await lab.agent_call("1001")
    await lab.sleep(2)
    leg = await answered(lab, "1004", does=redirect(lab, number, "1004"))
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1004", queue="support", final_agent="1004", disposition="answered",
                  hangup_by="caller", wait_seconds=None, segments=[segment("1004", leg)])]


@scenario("redirect-outbound", "1002 dials out, the customer answers; AMI Redirect of the customer to queue 2001, 1001 answers")
async def redirect_outbound(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", customer)
    await lab.sleep(2)
    lab.agents["1002"].behaviour = ring_forever
    channel = await lab.channel(name="PJSIP/trunk-")
    other = await answered(lab, "1001", does=lab.ami.action(
        Action="Redirect", Channel=channel, Context="internal", Exten="2001", Priority="1"))
    await lab.sleep(2)
    await out.bye()
    await other.wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, answered_by="customer", disposition="transferred", final_agent="1001",
                       hangup_by="customer", total_seconds=None, transfers=[move("blind", "1002", "2001")],
                       segments=[segment("1002", leg), segment("1001", other)], loose=["queue"])]


@scenario("reload", "1001 talks while everything is reloaded; the caller hangs up")
async def reload(lab):
    number = lab.number()
    caller, leg = await reached(lab, number, DID["support"], "1001")
    await lab.sleep(1)
    await lab.ami.action(Action="Command", Command="core reload", timeout=30)
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["support"], "1001", queue="support", final_agent="1001", disposition="answered",
                  hangup_by="caller", wait_seconds=wait(caller, leg), segments=[segment("1001", leg)])]


@scenario("outbound-feature-attended", "1002 dials out, types *2 1004, who answers, and hangs up: joined; 1004 hangs up")
async def outbound_feature(lab):
    customer = lab.number()
    leg, out = await outbound(lab, "1002", customer)
    await lab.sleep(1)
    await digits(leg, "*2")
    await lab.sleep(1)
    other = await answered(lab, "1004", does=digits(leg, "1004"))
    await lab.sleep(2)
    await leg.bye()
    await lab.sleep(2)
    await other.bye()
    await out.wait("ended", 5)
    return [called_out(lab, leg, "1002", customer, caller_name=AGENTS["1002"], answered_by="customer", disposition="transferred",
                       final_agent="1004", hangup_by="agent", total_seconds=None, transfers=[move("attended", "1002", "1004")],
                       segments=[segment("1002", leg), segment("1004", other, begin=leg.times["ended"])])]
