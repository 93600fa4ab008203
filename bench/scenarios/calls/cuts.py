"""The AMI line is cut, or the switch is killed or stopped, in the midst of calls."""

import asyncio
import subprocess

from ami import Control
from lab import DID, answer_after, ring_forever, scenario

from calls.frame import RUN, SUPPORT, reached, recapture, segment, span, truth, wait


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
