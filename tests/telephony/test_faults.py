"""A lossy, stammering or hostile feed: nothing raises, nothing stays, and other calls are told as they were."""

import gzip
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from telephony import facts, replay
from telephony.event import Event
from telephony.feed import Feed, times
from telephony.floor import LATE, Floor
from tests.telephony.test_replay import CAPTURES, NAMES

WHOLE = [name for name in NAMES if name.startswith("asterisk-22/")]


def events(name: str) -> list[Event]:
    feed = Feed()
    return list(feed.hear(gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes()), None))


def play(heard: Iterable[Event]) -> replay.Played:
    played = replay.Played()
    for event in heard:
        played.keep(played.floor.hear(event))
    played.finish()
    return played


def is_clean(floor: Floor) -> bool:
    return not floor.calls and floor.live_ids == 0


@pytest.mark.parametrize("name", WHOLE)
def test_one_event_lost_leaves_nothing_behind(name: str) -> None:
    heard = events(name)
    for at in range(len(heard)):
        played = play(heard[:at] + heard[at + 1 :])
        assert played.calls, (at, heard[at])
        # A phone that rings for an order of ours and nothing else: only a snapshot can tell that it stopped.
        alone = name.endswith("e3-outbound-agent-no-answer") and heard[at].name == "Hangup"
        assert is_clean(played.floor) or alone, (at, heard[at])


@pytest.mark.parametrize("name", WHOLE)
def test_one_event_twice_changes_nothing(name: str) -> None:
    heard = events(name)
    once = [replay.told(call) for call in play(heard).in_order()]
    for at in range(len(heard)):
        twice = play([*heard[: at + 1], *heard[at:]])
        assert [replay.told(call) for call in twice.in_order()] == once, heard[at]


@pytest.mark.parametrize("name", WHOLE)
def test_neighbours_swapped_leave_nothing_behind(name: str) -> None:
    heard = events(name)
    true = facts_of(play(heard))
    wrong = 0
    for at in range(len(heard) - 1):
        played = play([*heard[:at], heard[at + 1], heard[at], *heard[at + 2 :]])
        assert is_clean(played.floor), heard[at]
        wrong += facts_of(played) != true
    assert wrong <= len(heard) * 0.05


def facts_of(played: replay.Played) -> list[tuple[object, ...]]:
    return [(call.key, facts.direction(call), facts.caller_number(call), facts.called(call), facts.agents_rung(call),
             facts.answered_by(call), facts.disposition(call), facts.hangup_by(call)) for call in played.in_order()]


def test_any_disorder_is_survived() -> None:
    heard = [event for name in WHOLE[:6] for event in events(name)]
    for seed in range(15):
        chance = random.Random(seed)
        mixed = [event for event in heard if chance.random() > 0.2]
        chance.shuffle(mixed)
        play(mixed)


def test_calls_are_let_go_while_the_day_goes_on() -> None:
    heard = events("asterisk-22/c-ring-no-answer")
    floor = Floor()
    for hour in range(1800):
        for event in heard:
            floor.hear(shifted(event, hour))
        assert is_clean(floor)
    assert floor.remembered == LATE


def shifted(event: Event, by: int) -> Event:
    headers = {name: value.replace("1795331", str(1795331 + by)) if name.endswith(("uniqueid", "linkedid")) else value
               for name, value in event.headers.items()}
    return Event(event.name, headers, (event.at or datetime.now(UTC)) + timedelta(seconds=1000 * by), event.offset)


@pytest.mark.parametrize("said", ["Event: UserEvent\r\nUserEvent: RecordingDone\r\nLinkedid: {0}\r\nFile: x.wav",
                                  "Event: ParkedCallGiveUp\r\nParkeeUniqueid: {0}\r\nParkeeLinkedid: {0}",
                                  "Event: BlindTransfer\r\nTransfererUniqueid: {0}\r\nTransfererLinkedid: {0}",
                                  "Event: QueueEntry\r\nUniqueid: {0}\r\nQueue: support"])
def test_a_word_about_an_ended_call_is_nothing_new(said: str) -> None:
    heard = events("asterisk-22/a-inbound-answered")
    played = play(heard)
    key = played.in_order()[0].key

    feed = Feed()
    for event in feed.hear(said.format(key).encode() + b"\r\n\r\n", None):
        assert played.floor.hear(event) == []
    assert feed.frames == 1
    assert is_clean(played.floor)
    assert not played.floor.doubted


def test_an_event_that_cannot_be_understood_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """Python reads no number of so many digits."""
    absurd = Event("FullyBooted", {"event": "FullyBooted", "uptime": "9" * 5000}, None, 7)
    heard = events("asterisk-22/a-inbound-answered")
    played = play([*heard[:30], absurd, *heard[30:]])

    assert [replay.told(call)["disposition"] for call in played.in_order()] == ["answered"]
    assert [(doubt.offset, "ValueError" in doubt.reason) for doubt in played.floor.doubts] == [(7, True)]
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("bad", ["\x00\x00\x00\x00", "12", "12 17640\x000001", "12 nan", "12 9e99", "99999999999999999999 1764000001",
                                 "-1 1764000001", "12 5"])
def test_a_line_of_times_that_cannot_be_read_is_left_out(bad: str) -> None:
    told = times(f"0 1764000000.5\n{bad}\n30 1764000001.5\n", b"")

    assert [(offset, at.timestamp()) for offset, at in told] == [(0, 1764000000.5), (30, 1764000001.5)]


def test_reads_stay_in_order_when_an_offset_is_garbled() -> None:
    assert [offset for offset, _ in times("0 1764000000\n500 1764000001\n5 1764000002\n", b"")] == [0, 5, 500]
