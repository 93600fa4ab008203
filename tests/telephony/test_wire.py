"""Frames, text and actions on the bytes of the manager interface."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import wire

STREAMS = {
    "plain": b"Event: A\r\nX: 1\r\n\r\nEvent: B\r\n\r\n",
    "extra blanks": b"\r\nEvent: A\r\nX: 1\r\n\r\n\r\n\r\nEvent: B\r\n\r\n\r\n",
    "one end short of a return": b"Event: A\r\nX: 1\r\n\nEvent: B\r\n\n",
    "bare line feeds": b"Event: A\nX: 1\n\nEvent: B\n\n",
    "banner": b"Asterisk Call Manager/11.0.0\r\nEvent: A\r\nX: 1\r\n\r\nEvent: B\r\n\r\n",
}


@pytest.mark.parametrize("name", STREAMS)
def test_frames_are_found_whatever_ends_them(name: str) -> None:
    found = [frame for _, frame in wire.Framer().feed(STREAMS[name]) if not frame.startswith(wire.BANNER)]
    assert [wire.event_name(frame) for frame in found] == [b"A", b"B"]
    assert wire.headers(found[0])[0] == {"event": "A", "x": "1"}


@pytest.mark.parametrize("name", STREAMS)
def test_offsets_point_at_the_frame(name: str) -> None:
    data = STREAMS[name]
    assert all(data[at : at + len(frame)] == frame for at, frame in wire.Framer().feed(data))


@given(st.data())
def test_reads_do_not_matter(data: st.DataObject) -> None:
    stream = b"".join(data.draw(st.lists(st.sampled_from(list(STREAMS.values())), min_size=1, max_size=4)))
    framer, found, at = wire.Framer(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 30))
        found += framer.feed(stream[at : at + size])
        at += size
    names = [wire.event_name(frame) for _, frame in found if wire.event_name(frame)]
    whole = [wire.event_name(frame) for _, frame in wire.Framer().feed(stream) if wire.event_name(frame)]
    assert names == whole


@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_raise(data: bytes, size: int) -> None:
    framer = wire.Framer()
    for at in range(0, len(data), size):
        for _, frame in framer.feed(data[at : at + size]):
            wire.headers(frame)
            wire.event_name(frame)


def test_an_endless_frame_does_not_fill_the_memory() -> None:
    framer = wire.Framer()
    total = sum(len(frame) for _ in range(40) for _, frame in framer.feed(b"x" * 32768))
    assert total >= 1024 * 1024


def test_liberal_headers_are_kept_and_marked() -> None:
    found, odd = wire.headers(b"Event:A\r\nKey:value\r\nKey: again\r\nEmpty: \r\nno colon here\r\nTime: 10:11")
    assert found == {"event": "A", "key": "value", "empty": "", "time": "10:11"}
    assert odd == [("key", " again"), ("no colon here", "")]


@pytest.mark.parametrize(("value", "text", "marked"), [
    ("张三丰客户".encode(), "张三丰客户", False), ("张三丰".encode("gb18030"), "张三丰", False), (b"caf\xe9", "café", True)])
def test_text_is_utf8_then_gb18030_then_latin1(value: bytes, text: str, marked: bool) -> None:
    assert wire.text(value) == (text, marked)


@pytest.mark.parametrize("value", ["a\r\nAction: Command", "a\n", "\x00", "\x1b[2J", "a\x85b", "a\u2028b"])
def test_no_control_character_is_sent(value: str) -> None:
    with pytest.raises(wire.WireError, match="Reason"):
        wire.action("QueuePause", [("Reason", value)])


def test_an_action_is_its_headers_and_a_blank_line() -> None:
    assert wire.action("Ping", [("ActionID", "é 1")]) == "Action: Ping\r\nActionID: é 1\r\n\r\n".encode()
