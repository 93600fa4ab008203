"""What the harder scenarios are made of: phones that reach each other, and records of what the phones saw."""
import asyncio

from ami import Capture
from lab import answer_after

SUPPORT = ["1001", "1002", "1003"]


def span(a, b):
    return round(b - a, 2)


def wait(caller, leg):
    """From the queue's answer, or from dialling where the caller heard ringing, until the agent answered."""
    return span(min(caller.times.get("up", caller.times["new"]), leg.times["up"]), leg.times["up"])


def segment(agent, leg, end=None, begin=None):
    return {"agent": agent, "seconds": span(begin or leg.times["up"], end or leg.times["ended"])}


def move(how, by, to, answered=True):
    return {"type": how, "by": by, "to": to, "answered": answered}


def truth(lab, caller, number, did, first, **facts):
    return lab.call(caller, **{"caller_number": number, "called": did, "answered_by": first, "agents_rung": None, **facts})


async def reached(lab, number, did, agent, name=None, ring=1.5):
    """Inbound; `agent` has answered. Returns (caller, leg)."""
    before = len(lab.agents[agent].history)
    lab.agents[agent].behaviour = answer_after(ring)
    caller = await lab.inbound(number, did, name)
    leg = await lab.agent_call(agent, before + 1)
    assert await leg.wait("up", 20)
    lab.mark(agent + " answered")
    return caller, leg


async def answered(lab, agent, ring=1.0, does=None, timeout=30):
    """The next call that this phone gets and answers, while `does` is done to bring it there."""
    before = len(lab.agents[agent].history)
    lab.agents[agent].behaviour = answer_after(ring)
    if does is not None:
        await does
    leg = await lab.agent_call(agent, before + 1, timeout)
    assert await leg.wait("up", timeout)
    lab.mark(agent + " answered")
    return leg


async def outside(lab, before, state="up", timeout=15):
    """The call that the provider gets after it had `before`, once it is in that state."""
    for _ in range(timeout * 20):
        if len(lab.trunk.history) > before and state in lab.trunk.history[before].times:
            return lab.trunk.history[before]
        await asyncio.sleep(0.05)
    raise AssertionError("nothing came outside")


async def outbound(lab, agent, number, ring=1.5):
    """`agent` dials; the customer has answered. Returns (leg, customer)."""
    before = len(lab.trunk.history)
    lab.trunk.behaviour = answer_after(ring)
    leg = await lab.agents[agent].dial(number)
    assert await leg.wait("up", 15)
    return leg, lab.trunk.history[before]


def called_out(lab, leg, agent, dialled, **facts):
    return lab.call(leg, **{"direction": "outbound", "caller_number": agent, "called": dialled, "agent": agent, "agents_rung": None,
                            "_channel": f"PJSIP/{agent}-", "_exten": dialled, **facts})


async def digits(leg, keys):
    leg.dtmf(keys)
    while leg.rtp.pending_dtmf:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)


async def feature(lab, leg, code, to):
    """A key code of the switch, then the number that it asks for."""
    await digits(leg, code)
    await lab.sleep(1)
    await digits(leg, to)


async def attended(lab, leg, agent, target, talk=2.0):
    """`agent` holds, asks `target` in a call of its own and joins both; returns (target's leg, when they were joined)."""
    await leg.hold()
    lab.agents[target].behaviour = answer_after(1)
    before = len(lab.agents[target].history)
    consult = await lab.agents[agent].dial(target)
    assert await consult.wait("up", 10)
    other = await lab.agent_call(target, before + 1)
    await lab.sleep(talk)
    assert await leg.refer_to_call(consult) == 202
    lab.mark(f"{agent} joins the caller and {target}")
    return other, leg.times["ended"]


async def recapture(lab, n):
    """The AMI link comes (back): a file of its own, and the lists that a fresh listener asks for."""
    path = lab.out / f"{lab.path.stem}.{n}.ami"
    lab.capture = await Capture(path, lab.user).start()
    lab.extra_files.append(path)
    for action in ("CoreShowChannels", "QueueStatus"):
        lab.capture.send(Action=action)
    await asyncio.sleep(0.3)


def asks(lab, consult, agent, to, **facts):
    """The record of a consultation that came to nothing."""
    return lab.call(consult, **{"direction": "internal", "caller_number": agent, "called": to, "role": "consultation",
                                "agents_rung": None, "_channel": f"PJSIP/{agent}-", "_exten": to, **facts})
