"""Calls that are passed on by an order over AMI."""

from lab import DID, answer_after, ring_forever, scenario

from calls.frame import SUPPORT, reached, segment, span, truth


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
