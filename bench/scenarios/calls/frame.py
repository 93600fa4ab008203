"""What the scenarios share: a caller who is reached, a consultation, and the truth of a call by the phones' own clocks."""

import asyncio
import os

from ami import Capture
from lab import answer_after

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


async def type_digits(leg, digits):
    leg.dtmf(digits)
    while leg.rtp.pending_dtmf:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)


async def recapture(lab, n):
    path = lab.out / f"{lab.path.stem}.{n}.ami"
    lab.capture = await Capture(path, lab.user).start()
    lab.extra_files.append(path)
    for action in ("CoreShowChannels", "QueueStatus"):
        lab.capture.send(Action=action)
    await asyncio.sleep(0.3)


async def outbound(lab, agent, customer):
    lab.trunk.behaviour = answer_after(1.5)
    leg = await lab.agents[agent].dial(customer)
    assert await leg.wait("up", 15)
    return leg, lab.trunk.history[-1]
