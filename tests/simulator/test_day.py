"""A played day: the same seed says the same bytes, and what it says holds together."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from telephony.simulator import Caller, Scenario, with_callers
from telephony.simulator.day import Day
from telephony.simulator.plan import Plan
from telephony.simulator.scenario import NASTY
from telephony.simulator.truth import Truth

NINE = 1_795_478_400.0
RECORDED = Scenario(recordings=Path("unused"), calls_per_hour=60)


def played(scenario: Scenario, hours: float) -> tuple[list[bytes], list[Truth], Day]:
    """All frames and truths of so many hours, and the day when all have hung up."""
    frames: list[bytes] = []
    day = Day(scenario, NINE, frames.append)
    day.run_until(NINE + hours * 3600)
    day.finish()
    return frames, day.truths, day


def one_call(plan: Plan) -> tuple[list[dict[str, str]], Truth]:
    """The events of one call and its truth."""
    frames: list[bytes] = []
    day = Day(RECORDED, NINE, frames.append, arrivals=False)
    day.begin(plan)
    day.finish()
    return [headers(f) for f in frames], day.truths[0]


def headers(frame: bytes) -> dict[str, str]:
    """Header lines of a frame; a repeated one fails the test that reads it."""
    lines = [line.partition(": ") for line in frame.decode("utf-8", "surrogateescape").split("\r\n") if line]
    names = [name for name, _, _ in lines]
    assert len(names) == len(set(names)), names
    return {name: value for name, _, value in lines}


def test_the_same_seed_plays_the_same_day_and_another_seed_another() -> None:
    first, again, other = (b"".join(played(replace(RECORDED, seed=s), 2)[0]) for s in (5, 5, 6))

    assert first == again
    assert first != other


def test_after_the_last_call_nothing_is_left_of_it() -> None:
    frames, truths, day = played(RECORDED, 8)

    assert len(truths) > 300
    assert not day.switch.channels
    assert not day.switch.waiting
    assert not day.running
    assert {m.status for m in day.switch.members.values()} == {1}
    events = Counter(headers(f)["Event"] for f in frames)
    assert events["Newchannel"] == events["Hangup"]
    assert events["BridgeEnter"] == events["BridgeLeave"] == 2 * events["BridgeDestroy"]
    assert events["QueueCallerJoin"] == events["QueueCallerLeave"]


def test_a_day_has_every_kind_of_outcome() -> None:
    _frames, truths, _day = played(RECORDED, 8)

    seen = {(t.direction, t.disposition) for t in truths}
    assert {("inbound", "answered"), ("inbound", "abandoned"), ("inbound", "busy"), ("inbound", "no-answer"),
            ("outbound", "answered"), ("outbound", "busy"), ("internal", "answered")} <= seen
    answered = [t for t in truths if t.queue and t.disposition == "answered"]
    assert len(answered) > len(truths) / 3
    assert len({t.answered_by for t in answered}) >= 3


def test_time_never_runs_backwards_and_every_event_carries_it() -> None:
    frames, _truths, _day = played(RECORDED, 1)

    stamps = [float(headers(f)["Timestamp"]) for f in frames]
    assert stamps == sorted(stamps)


def test_a_hotline_call_is_told_in_the_order_of_a_real_switch() -> None:
    queue = RECORDED.queue("support")
    events, truth = one_call(Plan("answered", Caller("13800001001", "陈晓明"), queue=queue, answer_by="802", talk=5.0))

    told = [e["Event"] for e in events if e["Event"] not in ("DeviceStateChange", "QueueMemberStatus")]
    assert told == [
        "Newchannel", "Newstate", "UserEvent", "MixMonitorStart", "UserEvent", "QueueCallerJoin", "MusicOnHoldStart",
        *["Newchannel", "AgentCalled", "DialBegin"] * 3, *["Newstate", "NewConnectedLine", "DialState"] * 3,
        "Newstate", "DialEnd", "DialEnd", "DialEnd", "NewConnectedLine", "DialEnd", "DialEnd", "MusicOnHoldStop",
        "QueueCallerLeave", "AgentConnect", "Hangup", "Hangup", "BridgeCreate", "BridgeEnter", "BridgeEnter",
        "HangupRequest", "AgentComplete", "BridgeLeave", "SoftHangupRequest", "BridgeLeave", "BridgeDestroy", "Hangup", "Cdr",
        "Hangup",
    ]
    assert (truth.answered_by, truth.agents_rung) == ("802", ["801", "802", "803"])
    assert abs((truth.talk_seconds or 0) - 5.0) < 0.01


def test_a_recording_is_named_by_the_switch_alone() -> None:
    events, truth = one_call(Plan("answered", NASTY[1], queue=RECORDED.queue("support"), talk=5.0))

    told = next(e for e in events if e.get("UserEvent") == "RingdeskRecording")
    assert told["RecordingFile"] == truth.recording == "pbx1/2026/11/24/1795478400.0.1.wav"
    assert told["RecordingUniqueid"] == told["Uniqueid"]


def test_no_callers_text_can_begin_a_line_of_its_own() -> None:
    for caller in (*NASTY, Caller("1\r\nEvent: Hangup", "a\r\n\r\nEvent: Hangup")):
        events, _truth = one_call(Plan("answered", caller, queue=RECORDED.queue("support"), talk=5.0))

        assert events[0]["Event"] == "Newchannel"
        assert sum(e["Event"] == "Hangup" for e in events) == 4, caller
        assert all(len(e.get("CallerIDName", "").encode("utf-8", "surrogateescape")) <= 158 for e in events)


def test_given_customers_ring_most_of_the_time() -> None:
    known = [(f"1390000{n:04d}", f"Customer {n}") for n in range(20)]
    _frames, truths, _day = played(with_callers(RECORDED, known), 8)

    inbound = [t for t in truths if t.direction == "inbound"]
    share = sum(t.caller_number in dict(known) for t in inbound) / len(inbound)
    assert 0.5 < share < 0.8
