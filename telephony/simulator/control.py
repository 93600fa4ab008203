"""Orders from outside, one JSON object a line over a loopback socket: ring now, answer, hang up, what is going on."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from telephony.simulator.day import Day
from telephony.simulator.plan import Plan
from telephony.simulator.scenario import Caller
from telephony.simulator.scripts import Call, Order

FOREVER = 86_400.0


class BadOrder(Exception):
    """An order cannot be carried out; the message says what would be right."""


def obey(day: Day, order: Mapping[str, Any]) -> dict[str, object]:
    """What was done, as plain values; raises BadOrder."""
    verb = order.get("verb")
    if verb == "ring":
        return {"call": _ring(day, order)}
    if verb in ("answer", "hangup"):
        day.order(_call(day, str(order.get("call", ""))), Order(verb, str(order.get("extension", ""))))
        return {}
    if verb == "calls":
        return {"calls": [truth.as_dict() for played in day.running if (truth := played.call.truth) is not None]}
    if verb == "truths":
        return {"truths": [truth.as_dict() for truth in day.truths]}
    raise BadOrder("Unknown order. Use ring, answer, hangup, calls or truths.")


def _ring(day: Day, order: Mapping[str, Any]) -> str:
    extension, queue_name = str(order.get("extension") or ""), str(order.get("queue") or "")
    if extension and extension not in day.switch.members:
        raise BadOrder(f"No phone {extension}. The phones are {', '.join(day.switch.members)}.")
    queues = {q.name: q for q in day.scenario.queues}
    if not extension and (queue_name or day.scenario.queues[0].name) not in queues:
        raise BadOrder(f"No queue {queue_name}. The queues are {', '.join(queues)}.")
    kind = "direct" if extension else "answered"
    after = float(order.get("after") or FOREVER)
    plan = Plan(
        kind, Caller(order.get("number") or None, order.get("name") or None), extension=extension,
        queue=None if extension else queues[queue_name or day.scenario.queues[0].name],
        answer_by=order.get("answer_by") or None, answer_after=after, patience=float(order.get("patience") or FOREVER),
        talk=float(order.get("talk") or FOREVER), hangup_by=str(order.get("hangup_by") or "caller"),
        recorded=day.scenario.recordings is not None, call_waiting=True,
    )
    truth = day.begin(plan).truth
    assert truth is not None
    return truth.linkedid


def _call(day: Day, linkedid: str) -> Call:
    for played in day.running:
        if played.call.truth is not None and played.call.truth.linkedid == linkedid:
            return played.call
    raise BadOrder(f"No call {linkedid} is under way.")


def answer_line(day: Day, line: bytes) -> bytes:
    """One line in, one line out; a bad order is answered with its reason."""
    try:
        order = json.loads(line)
        done = obey(day, order if isinstance(order, dict) else {})
        return json.dumps({"ok": True, **done}, ensure_ascii=True).encode() + b"\n"
    except (BadOrder, ValueError) as error:
        return json.dumps({"ok": False, "why": str(error)}).encode() + b"\n"


async def ask(port: int, order: Mapping[str, object], host: str = "127.0.0.1") -> dict[str, Any]:
    """The simulator's answer to one order."""
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 26)
    try:
        writer.write(json.dumps(dict(order)).encode() + b"\n")
        await writer.drain()
        answer: dict[str, Any] = json.loads(await reader.readline())
        return answer
    finally:
        writer.close()
