"""Calls that end at a mailbox."""

from lab import DID, ring_forever, scenario

from calls.frame import reached, segment, truth, type_digits


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
