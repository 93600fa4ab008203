"""The proof of a round can fail: each thing that must not be is found."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from bench.kill import proof
from bench.kill.proof import Heard, Journal
from telephony.simulator.truth import Truth

BEGAN = 1_795_640_000.0
TRUTH = Truth("100.1", "inbound", "13800002001", None, "02150800100", queue="support", answered_by="2001", disposition="answered",
              hangup_by="caller", wait_seconds=1.0, talk_seconds=8.0, total_seconds=9.0, started_at=BEGAN, ended_at=BEGAN + 9)
WHOLE = Journal(calls={"100.1": Heard(1, 1)}, last_reads=[BEGAN + 60], snapshots=[BEGAN - 9])
HEARD = [[BEGAN - 10, BEGAN + 60]]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(BEGAN + seconds, UTC)


def row(**other: Any) -> Any:
    """The row that the truth deserves, but for what is given."""
    facts = {name: getattr(TRUTH, name) for name in (*proof.SAME, *proof.SECONDS)}
    facts |= {"id": 1, "call_key": "100.1", "names": ["100.1"], "live": False, "provenance": "live", "end_certain": True,
              "ended_at": moment(9)} | other
    return SimpleNamespace(**facts, _mapping=facts)


def found(rows: list[Any], read: Journal = WHOLE, gaps: Any = ()) -> list[str]:
    truths = {"100.1": TRUTH}
    return [*proof.lost_or_doubled(rows, truths, read, HEARD), *proof.dishonest(rows, truths, read, list(gaps))]


def test_what_is_right_is_not_complained_of() -> None:
    assert found([row()]) == []


def test_a_lost_call_is_found_by_the_journal_and_by_the_switch() -> None:
    assert len(found([])) == 2
    assert len(found([], replace(WHOLE, calls={}))) == 1


def test_a_doubled_call_a_stranger_and_one_that_never_ends_are_found() -> None:
    assert found([row(), row(id=2)]) == ["call 100.1 is 2 rows"]
    assert found([row(), row(id=2, names=["7.7"])]) == ["row 2 (100.1) belongs to 0 calls of the switch"]
    assert found([row(live=True)]) == ["call 100.1 is still up in the books, the switch has none"]


def test_a_call_that_was_heard_whole_must_be_exact() -> None:
    assert len(found([row(queue=None, talk_seconds=7.0)])) == 2
    assert len(found([row(end_certain=False)])) == 1


def test_an_end_that_was_not_heard_must_be_told_as_such_and_lie_in_a_gap() -> None:
    read, gaps = replace(WHOLE, calls={"100.1": Heard(1, None)}), [(moment(5), moment(20))]
    unknown = {"end_certain": False, "hangup_by": None}

    assert found([row(**unknown)], read, gaps) == []
    assert len(found([row(**unknown)], read)) == 1
    assert len(found([row(end_certain=False)], read, gaps)) == 1
    assert len(found([row(**unknown, disposition="abandoned")], read, gaps)) == 1
    assert len(found([row(disposition="abandoned")], read, gaps)) == 1


def test_a_silence_without_a_gap_and_a_gap_without_a_silence_are_found() -> None:
    heard = [[BEGAN, BEGAN + 10], [BEGAN + 15]]

    assert list(proof.unrecorded(heard, [(moment(9), moment(15.1))])) == []
    assert len(list(proof.unrecorded(heard, [(moment(11), moment(15.1))]))) == 1
    assert len(list(proof.unrecorded(heard, [(moment(9), None)]))) == 1
    assert len(list(proof.unrecorded(heard, [(moment(9), moment(15.1)), (moment(30), moment(31))]))) == 1
