"""Three hundred calls at once: which were answered, by whom and when, as the switch's own records say."""

import json
from datetime import datetime

import pytest

from telephony import replay
from tests.telephony.test_replay import CAPTURES


@pytest.fixture(scope="module")
def played() -> replay.Played:
    return replay.replay([CAPTURES / "load-300-queue.ami.gz"])


def test_every_call_of_the_load_is_told(played: replay.Played) -> None:
    truth = json.loads((CAPTURES / "load-300-queue.expected.json").read_text())
    told = {call.key: replay.told(call) for call in played.in_order()}

    assert len(told) == len(truth["calls"]) == 300
    for row in truth["calls"]:
        true = dict(zip(truth["columns"], row, strict=True))
        call = told[true["linkedid"]]
        assert (call["disposition"] == "answered") == (true["disposition"] == "answered")
        assert (call["caller_number"], call["caller_name"]) == (true["caller_number"], true["caller_name"] or None)
        assert call["agent"] == true["agent"]
        assert call["connected"] == pytest.approx(true["connected"], abs=0.05)
        assert call["end"] == pytest.approx(true["end"], abs=0.05)


def test_nothing_of_the_load_stays_in_memory(played: replay.Played) -> None:
    assert not played.floor.calls
    assert played.floor.live_ids == 0
    assert played.floor.doubted == played.feed.doubted == 0


def test_times_are_aware(played: replay.Played) -> None:
    began = played.in_order()[0].began_at
    assert isinstance(began, datetime)
    assert began.tzinfo is not None
