"""The listener, fed a whole played day, knows of every call what really happened."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from telephony.replay import READ, Played, told
from telephony.simulator import Scenario, load
from telephony.simulator.day import Day
from telephony.simulator.truth import Truth

NINE = 1_795_478_400.0
LOGIN = (b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n"
         b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 0\r\nLastReload: 0\r\nStatus: Fully Booted\r\n\r\n")
SAME = ("linkedid", "direction", "caller_number", "caller_name", "called", "queue", "agents_rung", "answered_by", "disposition",
        "hangup_by", "recorded", "recording")
SECONDS = ("wait_seconds", "talk_seconds", "total_seconds")
BUSY_DAY = Scenario(recordings=Path("unused"), calls_per_hour=90, nasty_share=0.1, withheld_share=0.1)


def stream(scenario: Scenario, hours: float) -> tuple[bytes, list[Truth]]:
    """What a listener receives of so many hours, and what happened in them."""
    out = bytearray(LOGIN)
    day = Day(scenario, NINE, out.extend)
    day.run_until(NINE + hours * 3600)
    day.finish()
    return bytes(out), day.truths


def heard(data: bytes, piece: int = READ) -> Played:
    """The calls a listener makes of it."""
    played = Played()
    for at in range(0, len(data), piece):
        played.hear(data[at:at + piece], datetime.fromtimestamp(NINE, UTC))
    played.finish()
    return played


def differences(played: Played, truths: list[Truth]) -> Iterator[tuple[str, str, object, object]]:
    """Call, question, what the listener says, what is true."""
    calls = {call["linkedid"]: call for call in map(told, played.in_order())}
    assert len(calls) == len(truths)
    for truth in truths:
        heard = calls[truth.linkedid]
        said, true = heard | {"agents_rung": sorted(heard["agents_rung"])}, truth.as_dict() | {"agents_rung": sorted(truth.agents_rung)}
        for key in SAME:
            if said[key] != true[key]:
                yield truth.linkedid, key, said[key], true[key]
        for key in SECONDS:
            if (said[key] is None) != (true[key] is None) or (said[key] is not None and abs(said[key] - true[key]) > 0.05):
                yield truth.linkedid, key, said[key], true[key]


@pytest.mark.parametrize("scenario", [BUSY_DAY, replace(BUSY_DAY, seed=2, systemname="pbx1")], ids=["plain", "with-systemname"])
def test_a_day_is_heard_as_it_happened(scenario: Scenario) -> None:
    data, truths = stream(scenario, 8)
    played = heard(data)

    assert len(truths) > 500
    assert list(differences(played, truths)) == []
    assert played.feed.doubted + played.floor.doubted == 0
    assert not any(told(call)["live"] for call in played.in_order())


def test_it_is_heard_the_same_in_seven_byte_pieces() -> None:
    data, truths = stream(BUSY_DAY, 0.5)

    assert list(differences(heard(data, 7), truths)) == []


def test_a_minute_of_load_is_heard_as_it_happened() -> None:
    data, truths = stream(load(30), 1 / 60)

    assert len(truths) > 1500
    assert list(differences(heard(data), truths)) == []

