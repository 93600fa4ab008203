"""A journal that begins a new segment in the midst of a call, and lets old ones go."""

import os
from pathlib import Path

from bench.kill.firm import until
from telephony import journal
from telephony.journal import BANNER, KEEP_SECONDS, segments
from telephony.listener import Listener
from tests.kill.conftest import Ear
from tests.telephony.test_listener import running

SMALL = 1500


def names(folder: Path) -> list[int]:
    return [segment for segment, _ in segments(folder)]


def aged(folder: Path, by: float) -> None:
    for _, path in segments(folder):
        at = path.stat().st_mtime - by
        os.utime(path, (at, at))


def test_a_call_over_many_segments_is_one_call_and_a_restart_tells_nothing_twice(ear: Ear) -> None:
    listener = Listener(ear.settings, ear.settings.switches[0])
    listener.journal._segment_bytes = SMALL
    with running(listener):
        truth = ear.board.ring(1)
        until(lambda: [call for call in ear.calls() if call.answered_at], "the answered call", 30)
        ear.board.hang_up(truth)
        call, = ear.ended(1)
    paths = [path for _, path in segments(ear.journal)]

    assert len(paths) > 2
    assert [path.read_bytes().startswith(BANNER) for path in paths] == [True] + [False] * (len(paths) - 1)
    assert all(path.read_bytes().endswith(b"\r\n\r\n") for path in paths if path.stat().st_size)
    assert (call.disposition, call.hangup_by, call.end_certain) == ("answered", "caller", True)
    assert [(told["linkedid"], told["hangup_by"]) for told in ear.replayed()] == [(truth.linkedid, "caller")]
    with running(Listener(ear.settings, ear.settings.switches[0])):
        until(lambda: [gap.ended_at for gap in ear.gaps()] not in ([], [None]), "the end of the gap", 30)
    assert [tuple(again) for again in ear.calls()] == [tuple(call)]
    assert len(ear.gaps()) == 1


def test_only_segments_that_are_old_and_needed_by_no_call_are_purged(ear: Ear) -> None:
    listener = Listener(ear.settings, ear.settings.switches[0])
    listener.journal._segment_bytes = SMALL
    with running(listener):
        first = ear.board.ring(1)
        until(lambda: [call for call in ear.calls() if call.answered_at], "the answered call", 30)
        ear.board.hang_up(first)
        ear.ended(1)
        second = ear.board.ring(2)
        until(lambda: len([call for call in ear.calls() if call.answered_at]) == 2, "the second answered call", 30)
        before, now = names(ear.journal), max(path.stat().st_mtime for _, path in segments(ear.journal))
        assert listener.journal.purge(listener.sink.low(), now) == 0
        aged(ear.journal, KEEP_SECONDS + 60)
        removed = listener.journal.purge(listener.sink.low(), now)
        kept = names(ear.journal)
        ear.board.hang_up(second)
        ear.ended(2)

    assert 0 < removed == len(before) - len(kept)
    assert kept[0] == listener.sink.low().segment or kept == before[removed:]
    assert [told["linkedid"] for told in ear.replayed()] == [second.linkedid]  # the call that was up is whole
    assert not [path for path in ear.journal.glob("*.times") if not path.with_suffix("").exists()]
    assert journal.last_heard(ear.journal) is not None
