"""Calls as a tough examiner thinks of them: passed on twice, picked up, forwarded, swapped, and an AMI link lost at the worst moment.

Played by bench/scenarios/harder on a real Asterisk. A truth may leave a matter of definition open: such keys are in its `loose`.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from telephony import replay
from tests.telephony.test_further import agrees, expected, told
from tests.telephony.test_replay import CAPTURES

NAMES = sorted(str(path.relative_to(CAPTURES)).removesuffix(".expected.json") for path in CAPTURES.glob("harder-*/*.expected.json"))


def test_both_switches_are_here() -> None:
    assert {name.split("/")[0] for name in NAMES} == {"harder-16", "harder-22", "harder-22-product"}
    assert len(NAMES) > 200


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_as_it_was(name: str) -> None:
    calls = {call["linkedid"]: call for call in told(name)}
    for true in expected(name)["calls"]:
        if true["linkedid"] not in calls and true.get("role") == "consultation":
            continue  # part of the call that it served
        call = calls.pop(true["linkedid"])
        agrees(call, closed(true, call))
        assert call["recorded"] == true["recorded"]
    # What is left is a phone that picked up, listened or fetched: never a customer's call.
    assert all(call["direction"] == "internal" for call in calls.values()), list(calls)


def closed(true: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    """The truth with what it leaves open as it is told."""
    open_ = [*true.get("loose", ()), *(key for key in ("transfers",) if true[key] is None)]
    return {**true, **{key: call[key] for key in open_}}


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("harder-22/")])
def test_the_reads_do_not_matter(name: str) -> None:
    assert told(name, 7) == told(name)


@pytest.mark.parametrize("name", ["harder-16/local-attended", "harder-16/number-national", "harder-16/half-attended-given-up",
                                  "harder-22/attended-twice", "harder-22/cut-blind-ring", "harder-22/cut-hold"])
def test_a_capture_that_nobody_timed_has_the_times_that_it_tells(name: str, tmp_path: Path) -> None:
    truth = expected(name)
    for file in truth["captures"]:
        shutil.copy(CAPTURES / Path(name).parent / file, tmp_path)
    calls = [replay.told(call) for call in replay.replay([tmp_path / file for file in truth["captures"]]).in_order()]
    for true in truth["calls"]:
        call = next(call for call in calls if call["linkedid"] == true["linkedid"])
        agrees(call, closed(true, call))
