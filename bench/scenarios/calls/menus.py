"""A voice menu, and a number that nobody has."""

from lab import DID, answer_after, scenario

from calls.frame import segment, truth, type_digits


@scenario("menu", "A voice menu: the caller presses 2, queue sales, 1001 or 1002 answers")
async def menu(lab):
    number = lab.number()
    for agent in ("1001", "1002"):
        lab.agents[agent].behaviour = answer_after(1.5)
    caller = await lab.inbound(number, DID["menu"])
    assert await caller.wait("up", 10)
    await lab.sleep(2)
    await type_digits(caller, "2")
    for _ in range(200):
        await lab.sleep(0.1)
        taken = [(a, c) for a in ("1001", "1002") for c in lab.agents[a].history if "up" in c.times]
        if taken:
            break
    agent, leg = taken[0]
    await lab.sleep(2)
    await caller.bye()
    await leg.wait("ended", 5)
    return [truth(lab, caller, number, DID["menu"], agent, queue="sales", agents_rung=[agent], final_agent=agent,
                  disposition="answered", hangup_by="caller", segments=[segment(agent, leg)])]


@scenario("menu-hangup", "A voice menu: the caller hangs up in it")
async def menu_hangup(lab):
    number = lab.number()
    caller = await lab.inbound(number, DID["menu"])
    assert await caller.wait("up", 10)
    await lab.sleep(2)
    await caller.bye()
    return [lab.call(caller, caller_number=number, called=DID["menu"], agents_rung=[], disposition="abandoned", hangup_by="caller")]


@scenario("unkndid", "An inbound call to a number that nobody has")
async def unknown_did(lab):
    number = lab.number()
    caller = await lab.inbound(number, "+442079469999")
    await caller.wait("ended", 10)
    return [lab.call(caller, caller_number=number, called="+442079469999", agents_rung=[], disposition="failed", hangup_by="pbx")]
