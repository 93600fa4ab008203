"""Calls that are passed on, parked, held, joined and cut are told as they truly were; talk is each agent's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from telephony import replay
from tests.telephony.test_replay import CAPTURES

NAMES = sorted(str(path.relative_to(CAPTURES)).removesuffix(".expected.json")
               for path in CAPTURES.glob("further-*/*.expected.json"))
ALWAYS = ("linkedid", "direction", "called", "queue", "answered_by")
WHERE_KNOWN = ("caller_number", "caller_name", "agents_rung", "disposition", "hangup_by", "mailbox", "conference", "role")


def expected(name: str) -> dict[str, Any]:
    return json.loads((CAPTURES / f"{name}.expected.json").read_text())  # type: ignore[no-any-return]


def told(name: str, piece: int = replay.READ) -> list[dict[str, Any]]:
    files = [CAPTURES / Path(name).parent / file for file in expected(name)["captures"]]
    return [replay.told(call) for call in replay.replay(files, piece=piece).in_order()]


def near(one: float | None, true: float | None) -> bool:
    return true is None or (one is not None and abs(one - true) < 1.5)


def agrees(call: dict[str, Any], true: dict[str, Any]) -> None:
    for key in ALWAYS:
        if key not in ("queue", "answered_by") or true["disposition"]:
            assert call[key] == true[key], key
    for key in WHERE_KNOWN:
        assert true.get(key) is None or call[key] == true[key], key
    for key in ("wait_seconds", "talk_seconds", "total_seconds"):
        assert near(call[key], true[key]), key
    if "final_agent" in true:
        assert call["final_agent"] == true["final_agent"]
    assert [(one["type"], one["by"], one["to"]) for one in call["transfers"]] == \
        [(one["type"], one["by"], one["to"]) for one in true["transfers"]]
    for one, other in zip(call["transfers"], true["transfers"], strict=True):
        assert other["answered"] is None or one["answered"] == other["answered"]
    for key in ("segments", "holds"):
        assert true.get(key) is None or same_turns(call[key], true[key]), (key, call[key], true[key])
    assert not call["live"]


def same_turns(turns: list[dict[str, Any]], true: list[dict[str, Any]]) -> bool:
    return len(turns) == len(true) and all(
        one["agent"] == other["agent"] and near(one["seconds"], other["seconds"]) for one, other in zip(turns, true, strict=True))


def test_both_switches_are_here() -> None:
    assert {name.split("/")[0] for name in NAMES} == {"further-16", "further-22", "further-22-product"}
    assert len(NAMES) > 100


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_as_it_was(name: str) -> None:
    calls = {call["linkedid"]: call for call in told(name)}
    for true in expected(name)["calls"]:
        if true["linkedid"] not in calls and true.get("role") == "consultation":
            continue  # part of the call that it served
        agrees(calls.pop(true["linkedid"]), true)
    # What is left is a phone that dialled into a room or a lot: never a customer's call.
    assert all(call["direction"] == "internal" for call in calls.values()), list(calls)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("further-22/")])
def test_the_reads_do_not_matter(name: str) -> None:
    assert told(name, 7) == told(name)
