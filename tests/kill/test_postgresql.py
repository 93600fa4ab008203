"""The embedded server after kill -9, and after its number was given to another program."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.kill.firm import Firm, until
from service.core.embedded import Embedded


def test_a_lock_file_that_names_another_program_does_not_keep_the_server_down(place: Firm) -> None:
    place.kill_postgresql()
    lock = place.server.folder / "postmaster.pid"
    lines = lock.read_text().split("\n")
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]))

    assert not place.server.running()
    place.server.start()
    assert place.server.pid() != os.getpid()
    until(place.answers, "PostgreSQL to answer", 30)


@pytest.mark.skipif(sys.platform != "linux", reason="a subreaper is Linux's way to stand for a container's first process")
def test_a_dead_server_that_nobody_buried_starts_again(place: Firm) -> None:
    """As in a container whose first process buries nobody but its own children."""
    place.server.stop()
    words = [sys.executable, "-c", UNBURYING, str(place.server.folder.parent)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        pid = int(first.stdout.readline())
        os.kill(pid, signal.SIGKILL)
        until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "a zombie", 30)
        other = Embedded(Path(place.server.folder.parent))
        other.start()
        assert other.running()
        assert other.pid() != pid
    until(place.answers, "PostgreSQL to answer", 30)


UNBURYING = """
import ctypes, sys
from pathlib import Path
from service.core.embedded import Embedded
ctypes.CDLL(None).prctl(36, 1)
server = Embedded(Path(sys.argv[1]))
server.start()
print(server.pid(), flush=True)
sys.stdin.read()
"""
