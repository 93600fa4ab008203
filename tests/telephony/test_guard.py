"""A caller writes line ends into his number: his call is told, his events are not believed, nobody else notices."""

import re
from datetime import UTC, datetime

import pytest

from telephony import replay
from telephony.feed import Feed
from telephony.floor import Floor
from telephony.guard import FORGERY_LIMIT
from tests.telephony.ami import frames

CALLER = b"+441632960381"
FORGED_EVENTS = {
    "a header": b"123\r\nLinkedid: 666.6",
    "headers before and after": b"123\r\nUniqueid: 666.6\r\nCallerIDName: Mallory\r\nChannel: PJSIP/9-00000001",
    "a hangup of his own call": b"123\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nChannel: PJSIP/trunk-00000015\r\n"
                                b"Uniqueid: %(own)s\r\nLinkedid: %(own)s\r\nCause: 16\r\n\r\nx",
    "an agent": b"123\r\n\r\nEvent: AgentConnect\r\nUniqueid: %(own)s\r\nDestUniqueid: 1.1\r\nMemberName: Mallory\r\n"
                b"Interface: PJSIP/1001\r\n\r\nEvent: FullyBooted\r\nUptime: 1\r\n\r\nx",
    "an empty snapshot": b"123\r\n\r\nEvent: CoreShowChannelsComplete\r\nListItems: 0\r\n\r\nx",
    "a header that no event repeats": b"123\r\nBridgeUniqueid: 666\r\nCause: 21\r\nHangupSource: x",
    "only an end": b"123\r\n\r\nx",
}


def attacked(name: str, forged: bytes) -> list[bytes]:
    said = frames(name, fresh=False)
    own = next(re.search(rb"Uniqueid: (\S+)", frame) for frame in said if frame.startswith(b"Event: Newchannel"))
    assert own is not None
    words = forged.replace(b"%(own)s", own.group(1))
    return [re.sub(rb"(?m)^((?:CallerID|ConnectedLine|DestConnectedLine|CallerIDn)[Nn]um: )" + re.escape(CALLER),
                   lambda match: match.group(1) + words, frame) for frame in said]


def play(said: list[bytes], piece: int) -> replay.Played:
    played = replay.Played()
    data = b"".join(frame + b"\r\n\r\n" for frame in said)
    for at in range(0, len(data), piece):
        played.hear(data[at : at + piece], None)
    played.finish()
    return played


@pytest.mark.parametrize("piece", [1 << 16, 7])
@pytest.mark.parametrize("what", FORGED_EVENTS)
@pytest.mark.parametrize("name", ["asterisk-22/a-inbound-answered", "asterisk-22-callcapture/a-inbound-answered"])
def test_the_forgers_call_is_told_as_it_was(name: str, what: str, piece: int) -> None:
    true = replay.told(play(frames(name, fresh=False), 1 << 16).in_order()[0])
    played = play(attacked(name, FORGED_EVENTS[what]), piece)

    assert [call.key for call in played.in_order()] == [true["linkedid"]]
    told = replay.told(played.in_order()[0])
    assert told["caller_number"] == "123"
    for key in set(true) - {"caller_number", "legs"}:
        assert told[key] == true[key], key
    assert played.feed.doubted > 0
    assert not played.floor.calls


def test_a_neighbours_call_does_not_notice() -> None:
    """The forger hangs up, answers and ends a call that is not his."""
    victim = frames("asterisk-22/f2-recorded-by-ami", fresh=False)
    own = re.search(rb"Uniqueid: (\S+)", next(f for f in victim if f.startswith(b"Event: Newchannel")))
    assert own is not None
    forged = b"123\r\n\r\nEvent: Hangup\r\nUniqueid: " + own.group(1) + b"\r\nCause: 16\r\n\r\nx"
    attack = attacked("asterisk-22/a-inbound-answered", forged)
    half = len(victim) // 2
    mixed = [*victim[:half], *attack, *victim[half:]]

    told = {call.key: replay.told(call) for call in play(mixed, 1448).in_order()}
    true = replay.told(play(victim, 1448).in_order()[0])
    assert told[true["linkedid"]] == true
    assert len(told) == 2


def unstamped(said: list[bytes]) -> list[bytes]:
    return [re.sub(rb"\r\nTimestamp: 17[\d.]+", b"", frame) for frame in said]


def test_a_caller_does_not_set_the_clock_of_a_switch_that_stamps_nothing() -> None:
    """Asterisk's default is timestampevents=no: what looks like a stamp was written by the caller."""
    evil = unstamped(attacked("asterisk-22/a-inbound-answered", b"123\r\nTimestamp: 1000000000.0"))
    played, now = replay.Played(), datetime(2026, 11, 25, 9, tzinfo=UTC)
    for frame in [*evil, *unstamped(frames("asterisk-22/d2-direct-answered", fresh=False))]:
        played.hear(frame + b"\r\n\r\n", now)

    assert [(call.began_at, call.ended_at) for call in played.in_order()] == [(now, now)] * 2
    assert played.feed.doubted > 0


@pytest.mark.parametrize("stamp", ["1000000000.0", "253402300799.0"])
def test_a_clock_that_cannot_be_right_is_not_followed(stamp: str) -> None:
    feed, now = Feed(), datetime(2026, 11, 25, 9, tzinfo=UTC)
    said = f"Event: Hold\r\nTimestamp: {stamp}\r\nUniqueid: 1.1\r\n\r\nEvent: Hold\r\nUniqueid: 1.1\r\n\r\n".encode()

    assert [event.at for event in feed.hear(said, now)][1] == now


def test_a_caller_does_not_name_the_recording() -> None:
    """The dialplan's own headers may be named like the channel's, and stay."""
    said = (b"Event: UserEvent\r\nCallerIDNum: 123%s\r\nCallerIDName: Rico\r\nConnectedLineNum: <unknown>\r\n"
            b"ConnectedLineName: <unknown>\r\nUniqueid: 1.1\r\nUserEvent: RecordingStarted\r\nFile: true.wav\r\n"
            b"CallerIDName: Anna\r\n\r\n")
    feed = Feed()
    heard = [*feed.hear(said % b"", None)]
    assert feed.doubted == 0
    for forged in (b"\r\nFile: forged.wav", b"\r\nCallerIDName: x\r\nUserEvent: y\r\nFile: forged.wav"):
        heard += feed.hear(said % forged, None)

    assert feed.doubted == 2
    assert [(event["File"], event["UserEvent"], event["Uniqueid"], event["CallerIDName"]) for event in heard] == [
        ("true.wav", "RecordingStarted", "1.1", "Rico")] * 3


def test_claims_about_channels_that_never_began_are_counted() -> None:
    feed, floor = Feed(), Floor()
    for name in (b"Hangup", b"DialBegin", b"AgentConnect", b"HangupRequest"):
        for event in feed.hear(b"Event: " + name + b"\r\nUniqueid: 5.5\r\nDestUniqueid: 6.6\r\nLinkedid: 5.5\r\n\r\n", None):
            assert floor.hear(event) == []
    assert floor.doubted == 4
    assert floor.live_ids == 0


def test_a_forger_who_hides_the_rest_costs_a_snapshot_and_not_the_day() -> None:
    """The rest of the broken event gets a head of the forger's own: nothing can be told apart for a moment."""
    forged = b"123\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\n\r\nEvent: Newstate\r\nCallerIDNum: 123"
    said = attacked("asterisk-22/a-inbound-answered", forged)
    later = frames("asterisk-22/d2-direct-answered", fresh=False)

    feed, floor = Feed(), Floor()
    for event in feed.hear(b"".join(frame + b"\r\n\r\n" for frame in [*said[:20], *later * 2]), None):
        floor.hear(event)
    assert feed.take_lost_sight()
    assert feed.doubted > 0
    assert feed.frames > 100


@pytest.mark.parametrize("text", [b"\xc4\xe3\xba\xc3", "你好".encode(), b"caf\xe9 \xff", b'=cmd|"/c calc"!A1', b"x" * 300,
                                  b"<script>alert(1)</script>", b"100% ${IFS} `id`", b"a\\r\\nEvent: Hangup"])
def test_any_name_is_taken_as_text(text: bytes) -> None:
    said = [re.sub(rb"(?m)^((?:Dest)?(?:CallerID|ConnectedLine)Name: )Maria Mustermann", lambda m: m.group(1) + text, frame)
            for frame in frames("asterisk-22/a-inbound-answered", fresh=False)]
    call = replay.told(play(said, 1).in_order()[0])

    assert call["disposition"] == "answered"
    assert call["caller_name"]
    assert not any(ord(letter) < 32 for letter in call["caller_name"])
    if text in (b"\xc4\xe3\xba\xc3", "你好".encode()):
        assert call["caller_name"] == "你好"


def test_a_number_whose_rest_never_comes_holds_the_line_back_for_four_kilobytes() -> None:
    """The fuzzer's find: a list that ended just then was waited for."""
    feed, pong = Feed(), b"Response: Success\r\nPing: Pong\r\n\r\n"
    complete = b"Event: CoreShowChannelsComplete\r\nListItems: 0\r\n\r\n"
    held = list(feed.hear(b"Event: Newchannel\r\nUniqueid: 1.1\r\nCallerIDNum: +44\r\n\r\n" + complete, None))
    after = list(feed.hear(pong * (FORGERY_LIMIT // len(pong) + 2) + complete, None))

    assert held == []
    assert [event.name for event in after] == ["CoreShowChannelsComplete"]
    assert feed.take_lost_sight()
