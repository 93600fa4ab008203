"""Agents who pause and log in, and a floor with several calls at once."""

import asyncio

from lab import DID, answer_after, scenario

from calls.frame import SUPPORT, reached, segment, span, truth


@scenario("agents-change", "1001 is paused, 1004 logs in to support by *45; 1004 answers, logs out by *46")
async def agents_change(lab):
    login = await lab.agents["1004"].dial("*45")
    await login.wait("ended", 10)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1001", Paused="true", Reason="lunch")
    number = lab.number()
    lab.agents["1004"].history.clear()
    caller, leg = await reached(lab, number, DID["support"], "1004")
    await lab.sleep(3)
    await caller.bye()
    await leg.wait("ended", 5)
    await lab.ami.action(Action="QueuePause", Interface="PJSIP/1001", Paused="false")
    logout = await lab.agents["1004"].dial("*46")
    await logout.wait("ended", 10)
    return [lab.call(login, direction="internal", caller_number="1004", called="*45", _channel="PJSIP/1004-", _exten="*45"),
            truth(lab, caller, number, DID["support"], "1004", queue="support", agents_rung=["1002", "1003", "1004"],
                  final_agent="1004", disposition="answered", hangup_by="caller", segments=[segment("1004", leg)]),
            lab.call(logout, direction="internal", caller_number="1004", called="*46", _channel="PJSIP/1004-", _exten="*46")]


async def busy_floor(lab, callers, agents, talk):
    """So many callers at once; whoever is free answers; each hangs up after `talk` seconds of talk."""
    by_agent, records = [], []
    for agent in agents:
        async def behave(call, agent=agent):
            call.ring()
            if not await call.wait("ended", 1.0 + 0.3 * int(agent[-1])) and await call.answer():
                by_agent.append((agent, call))
        lab.agents[agent].behaviour = behave

    async def one(number):
        call = await lab.inbound(number, DID["support"])
        for _ in range(900):
            await asyncio.sleep(0.1)
            mine = [(a, c) for a, c in by_agent if number in (c.shown or "") and "up" in c.times]
            if mine:
                break
        agent, leg = mine[0]
        await asyncio.sleep(talk)
        await call.bye()
        await leg.wait("ended", 5)
        records.append(truth(lab, call, number, DID["support"], agent, queue="support", agents_rung=None,
                             final_agent=agent, disposition="answered", wait_seconds=span(call.times["up"], leg.times["up"]),
                             talk_seconds=span(leg.times["up"], leg.times["ended"]), hangup_by="caller",
                             segments=[segment(agent, leg)]))

    async def start(n, number):
        await asyncio.sleep(0.25 * n)
        await one(number)
    await asyncio.gather(*(start(n, lab.number()) for n in range(callers)))
    return sorted(records, key=lambda r: r["caller_number"])


@scenario("two-callers", "Two callers at once, two agents")
async def two_callers(lab):
    return await busy_floor(lab, 2, ["1001", "1002"], 3)


@scenario("six-callers", "Six callers at once, three agents")
async def six_callers(lab):
    return await busy_floor(lab, 6, ["1001", "1002", "1003"], 3)


@scenario("caller-returns", "A caller gives up, calls again and is answered by 1003")
async def caller_returns(lab):
    number = lab.number()
    first = await lab.inbound(number, DID["support"])
    await first.wait("up", 5)
    await lab.sleep(4)
    await first.bye()
    await lab.sleep(2)
    count = len(lab.agents["1003"].history)
    lab.agents["1003"].behaviour = answer_after(1.5)
    again = await lab.inbound(number, DID["support"])
    leg = await lab.agent_call("1003", count + 1)
    assert await leg.wait("up", 10)
    await lab.sleep(2)
    await again.bye()
    await leg.wait("ended", 5)
    rows = [r for r in lab.cel_rows() if r["type"] == "CHAN_START" and r["context"] == "from-trunk" and r["cid_num"] == number]
    ids = [r["linkedid"] for r in rows]
    return [lab.call(first, linkedid=ids[0], caller_number=number, called=DID["support"], queue="support", agents_rung=SUPPORT,
                     disposition="abandoned", hangup_by="caller"),
            truth(lab, again, number, DID["support"], "1003", linkedid=ids[1], queue="support", agents_rung=SUPPORT,
                  final_agent="1003", disposition="answered", hangup_by="caller", segments=[segment("1003", leg)])]
