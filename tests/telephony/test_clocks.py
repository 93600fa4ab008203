"""A clock that is put forward or back by an hour in the midst of a call, the switch's or ours: no talk grows or shrinks."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telephony import replay
from telephony.feed import Feed
from telephony.replay import Played
from tests.telephony.ami import frames

AT = datetime.fromtimestamp(1795331794, UTC)
HOUR = 3600.0
STAMPED, PLAIN = "asterisk-22/a-inbound-answered", "asterisk-16/a-inbound-answered"
_STAMP = re.compile(rb"(?<=\nTimestamp: )\d+\.\d+")
SECONDS = ("wait_seconds", "talk_seconds", "total_seconds")


def told(heard: list[bytes], *, switch: float = 0.0, ours: float = 0.0, after: bytes = b"AgentConnect") -> list[dict[str, Any]]:
    """The calls of the frames when a clock is put by so much after that event; without stamps each comes 0.1 s later."""
    played, put, now = Played(), False, AT
    for frame in heard:
        stamp = _STAMP.search(frame)
        now = datetime.fromtimestamp(float(stamp.group()), UTC) if stamp else now + timedelta(seconds=0.1)
        sent = frame.replace(stamp.group(), b"%.6f" % (float(stamp.group()) + switch * put)) if stamp else frame
        played.hear(sent + b"\r\n\r\n", now + timedelta(seconds=ours * put))
        put = put or frame.startswith(b"Event: " + after + b"\r\n")
    played.finish()
    return [replay.told(call) for call in played.in_order()]


@pytest.mark.parametrize("by", [HOUR, -HOUR])
@pytest.mark.parametrize("after", [b"QueueCallerJoin", b"AgentConnect", b"HangupRequest"])
def test_the_switchs_clock_is_put(by: float, after: bytes) -> None:
    heard = frames(STAMPED, fresh=False)
    (true,), (call,) = told(heard), told(heard, switch=by, after=after)

    assert [call[key] for key in SECONDS] == pytest.approx([true[key] for key in SECONDS], abs=0.2)
    assert (call["disposition"], call["answered_by"], call["end_certain"]) == (true["disposition"], true["answered_by"], True)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
@pytest.mark.parametrize("name", [STAMPED, PLAIN])
def test_our_own_clock_is_put(name: str, by: float) -> None:
    heard = frames(name, fresh=False)
    (true,), (call,) = told(heard), told(heard, ours=by)

    assert [call[key] for key in SECONDS] == pytest.approx([true[key] for key in SECONDS], abs=0.2)


def test_the_next_call_is_told_by_the_new_clock() -> None:
    heard = frames(STAMPED, fresh=False)
    later = [frame.replace(b"1795331794.4", b"1795341794.4") for frame in heard]
    first, second = told([*heard, *later], switch=HOUR)

    assert second["start"] - first["start"] == pytest.approx(HOUR, abs=1.0)


def test_events_that_are_late_are_no_clock_that_was_put() -> None:
    """Seen in the field: a healthy line brings everything some minutes late, and then catches up."""
    heard = frames(STAMPED, fresh=False)
    feed, late = Feed(), AT + timedelta(minutes=20)
    events = [event for number, frame in enumerate(heard)
              for event in feed.hear(frame + b"\r\n\r\n", AT if number < len(heard) // 2 else late)]

    assert {event.jumped for event in events} == {timedelta()}
