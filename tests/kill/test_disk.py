"""A disk that takes no more, for real: a limit that the kernel keeps. One sentence, nothing half, and all goes on afterwards."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from bench.kill.firm import until
from telephony.simulator.audio import write_wav
from tests.kill.conftest import Ear

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process that runs")


def limit(pid: int, most: int) -> None:
    """No file of that process grows beyond so many bytes."""
    process = psutil.Process(pid)
    process.rlimit(psutil.RLIMIT_FSIZE, (most, process.rlimit(psutil.RLIMIT_FSIZE)[1]))


def test_a_full_disk_under_the_journal_ends_the_listener_and_half_a_read_is_not_kept(ear: Ear) -> None:
    listener = ear.listen()
    truth = ear.board.ring(1)
    until(lambda: [call for call in ear.calls() if call.answered_at], "the answered call", 30)
    limit(listener.pid, len(ear.raw()) + 300)
    ear.board.hang_up(truth)

    assert listener.wait(30) == 1
    assert ear.said().strip().splitlines()[-1:] == [
        f"ringdesk listen: The disk that holds {ear.journal} is full. Free space and start the listener again."]
    assert ear.raw().endswith(b"\r\n\r\n")
    until(lambda: not ear.board.listened, "the switch to notice", 30)
    ear.listen()
    call, = ear.ended(1)
    assert (call.call_key, call.disposition, call.end_certain) == (truth.linkedid, "answered", False)
    until(lambda: [gap.ended_at for gap in ear.gaps()] != [None], "the end of the gap", 30)
    assert len(ear.gaps()) == 1


def test_a_full_disk_under_the_vault_leaves_the_recording_where_it_is_until_there_is_room(ear: Ear, tmp_path: Path) -> None:
    switch = replace(ear.settings.switches[0], recordings=tmp_path)
    settings = replace(ear.settings, data=tmp_path / "data", switches=(switch,))
    name = f"{switch.name}/{datetime.now(UTC):%Y/%m/%d}/1795639093.2.1.wav"
    jobs = ear.place.run("jobs", log=f"{switch.name}-jobs", settings=settings)
    limit(jobs.pid, 100_000)
    write_wav(tmp_path / name, 20.0, "a voice")

    said = f"recordings: '{name}' was left where it is: the disk of the vault is full; free space, it is collected then"
    until(lambda: said in ear.place.said(f"{switch.name}-jobs"), "the sentence", 30)
    assert [path for path in settings.vault_dir.rglob("*") if path.is_file()] == []
    limit(jobs.pid, psutil.RLIM_INFINITY)
    found = until(lambda: ear.place.rows("select * from recording where switch = :name", name=switch.name), "the recording", 30)
    assert found[0].bytes == (tmp_path / name).stat().st_size
    assert "Traceback" not in ear.place.said(f"{switch.name}-jobs")
