"""What no switch sends, on a real line: nothing stops the ear, memory stays small, and the next call is told."""

import os
import random
import resource
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from service.core import db, scope
from service.core.config import Settings
from telephony import link
from telephony.feed import Feed
from telephony.guard import KEPT
from tests.telephony.ami import Ami, frames, until
from tests.telephony.test_listener import ami, listening, ready  # noqa: F401

MEGABYTE = 1 << 20


def said(*found: bytes) -> bytes:
    return b"".join(frame + b"\r\n\r\n" for frame in found)


def calls() -> list[tuple[str, str]]:
    with db.begin(scope.ALL) as session:
        return [tuple(row) for row in session.execute(text("select disposition, provenance from call where not live"))]


def memory() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Half a minute is short."""
    monkeypatch.setattr(link, "LAST_PAUSE", 0.3)
    yield


def test_garbage_between_two_calls_costs_neither(ready: Settings, ami: Ami) -> None:  # noqa: F811
    garbage = random.Random(1).randbytes(MEGABYTE // 4)
    with listening(ready, ami):
        ami.say(said(*frames("asterisk-22/a-inbound-answered")))
        until(lambda: len(calls()) == 1, what="the first call")
        for at in range(0, len(garbage), 8192):
            ami.say(garbage[at : at + 8192] + b"\r\n\r\n")
        ami.say(said(*frames("asterisk-22/b-abandoned")))
        until(lambda: len(calls()) == 2, what="the second call")

    assert calls() == [("answered", "live"), ("abandoned", "live")]
    assert ami.connections == 1


def test_ten_megabytes_without_a_line_end_are_a_sentence_and_another_connection(
    ready: Settings, ami: Ami, soon: None, caplog: pytest.LogCaptureFixture  # noqa: F811
) -> None:
    with listening(ready, ami) as listener:
        before = memory()
        with pytest.raises(OSError):  # the line is gone long before
            for _ in range(200):
                ami.say(b"x" * MEGABYTE)
        grown = memory() - before
        until(lambda: ami.logins == 2 and not listener.resync.wanted, what="another connection")
        ami.say(said(*frames("asterisk-22/a-inbound-answered")))
        until(lambda: len(calls()) == 1, what="the call")

    assert grown < 10 * MEGABYTE
    assert [record.message for record in caplog.records if "without a blank line" in record.message] != []
    with db.begin(scope.ALL) as session:
        assert session.execute(text("select count(*) from feed_gap where ended_at is not null")).scalar_one() == 1


def test_what_is_kept_of_frames_that_were_not_believed_is_small() -> None:
    feed = Feed()
    for _ in range(1200):
        list(feed.hear(os.urandom(4).hex().encode() * 5000 + b"\r\n\r\n", None))

    assert feed.doubted == 1200
    assert max(len(doubt.frame) for doubt in feed.doubts) == KEPT


@pytest.mark.parametrize("headers", [200, 5000])
def test_an_event_of_so_many_headers_is_an_event(headers: int, ready: Settings, ami: Ami) -> None:  # noqa: F811
    more = b"".join(b"\r\nX-Extra-%d: %d" % (number, number) for number in range(headers))
    with listening(ready, ami):
        ami.say(said(*(frame + more for frame in frames("asterisk-22/a-inbound-answered"))))
        until(lambda: len(calls()) == 1, what="the call")

    assert calls() == [("answered", "live")]


def test_a_switch_that_hangs_up_on_a_slow_reader_is_heard_again(ready: Settings, ami: Ami, committed_cast: SimpleNamespace) -> None:  # noqa: F811
    """As Asterisk does after writetimeout: the line ends in the midst of an event."""
    first, second = frames("asterisk-22/a-inbound-answered"), frames("asterisk-22/b-abandoned")
    with listening(ready, ami) as listener:
        ami.say(said(*first) + said(*second)[:700])
        ami.cut()
        until(lambda: ami.logins == 2 and not listener.resync.wanted, what="another connection")
        ami.say(said(*second))
        until(lambda: len(calls()) == 2, what="both calls")

    assert calls() == [("answered", "live"), ("abandoned", "live")]
