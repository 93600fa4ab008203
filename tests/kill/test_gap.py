"""A phone stops ringing while nobody listens; the call goes on and its end is heard."""

from datetime import UTC, datetime

from telephony.replay import Played, told
from tests.telephony.ami import frames
from tests.telephony.test_listener import shown

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 100000"


def said(*parts: bytes) -> bytes:
    return b"".join(part + b"\r\n\r\n" for part in parts)


def where(found: list[bytes], event: bytes) -> int:
    return next(i for i, frame in enumerate(found) if frame.startswith(b"Event: " + event + b"\r\n"))


def test_an_answered_call_whose_end_was_heard_is_certain_though_another_phone_fell_silent_unheard() -> None:
    heard = frames("asterisk-22/a-inbound-answered", fresh=False)
    ringing, ending = where(heard, b"DialEnd"), where(heard, b"HangupRequest")
    up = shown(heard[:ending])
    complete = b"Event: CoreShowChannelsComplete\r\nListItems: %d" % len(up)
    played = Played()
    played.hear(said(*heard[:ringing]), AT)
    played.feed.reconnected()
    played.hear(said(BOOTED, *up, complete), AT)
    played.hear(said(*heard[ending:]), AT)

    call, = map(told, played.in_order())
    assert (call["disposition"], call["hangup_by"], call["end_certain"], call["provenance"]) == ("answered", "caller", True, "repaired")
    assert [leg["outcome"] for leg in call["legs"]].count("answered") == 1
