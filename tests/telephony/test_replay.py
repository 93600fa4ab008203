"""Replay agrees with what truly happened, for every capture of a real switch and however the bytes arrive."""

import json
from pathlib import Path
from typing import Any

import pytest

from telephony import replay

CAPTURES = Path(__file__).parent / "captures"
NAMES = sorted(str(path.relative_to(CAPTURES)).removesuffix(".expected.json")
               for path in CAPTURES.glob("asterisk-*/*.expected.json"))
SAME = ("linkedid", "direction", "caller_number", "caller_name", "called", "queue", "agents_rung", "answered_by",
        "disposition")


def truth(name: str) -> list[dict[str, Any]]:
    return json.loads((CAPTURES / f"{name}.expected.json").read_text())["calls"]  # type: ignore[no-any-return]


def played(name: str, piece: int = replay.READ) -> list[dict[str, Any]]:
    return [replay.told(call) for call in replay.replay([CAPTURES / f"{name}.ami.gz"], piece=piece).in_order()]


def agrees(told: dict[str, Any], true: dict[str, Any]) -> None:
    for key in SAME:
        if true[key] is not None or key in ("answered_by", "queue"):
            assert told[key] == true[key], key
    for key in ("wait_seconds", "talk_seconds", "total_seconds"):
        assert true[key] is None or told[key] == pytest.approx(true[key], abs=1.5), key
    assert true["hangup_by"] is None or told["hangup_by"] == true["hangup_by"]
    assert told["agent"] == (true.get("agent") or true["answered_by"])
    assert told["recorded"] == true["recorded"]
    assert told["linkedids"][0] == true["linkedid"]
    assert not told["live"] and told["end_certain"] and told["provenance"] == "live"


def test_all_captures_are_here() -> None:
    assert len(NAMES) == 33


@pytest.mark.parametrize("name", NAMES)
def test_replay_tells_what_happened(name: str) -> None:
    told, true = played(name), truth(name)

    assert len(told) == len(true)
    for one, other in zip(told, true, strict=True):
        agrees(one, other)


@pytest.mark.parametrize("piece", [1, 7])
@pytest.mark.parametrize("name", NAMES)
def test_the_reads_do_not_matter(name: str, piece: int) -> None:
    assert played(name, piece) == played(name)
