"""The `ringdesk` command as a real process, in a session of its own so that nothing of it is left behind."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from service.core.config import Settings
from tests.live import server

OWN = ("RINGDESK_DSN_OWNER", "RINGDESK_DSN_APP", "RINGDESK_DSN_NIGHT", "RINGDESK_SECRET_KEY")


def environment(settings: Settings, data: Path, **more: str) -> dict[str, str]:
    """The test's database, a data folder of the test's own, and what the test says."""
    return server.environment(settings) | {"RINGDESK_DATA": str(data), "COLUMNS": "500"} | more


def without_database(data: Path, **more: str) -> dict[str, str]:
    """A bare environment: the embedded PostgreSQL would be used."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGDESK_")}
    return kept | {"RINGDESK_DATA": str(data), "COLUMNS": "500"} | more


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def ends(words: list[str], env: dict[str, str], **more: object) -> str:
    """The sentence on stderr of a command that fails as it should: one line, a code that is not 0, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "service", *words],
        check=False,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )  # type: ignore[call-overload]
    said = done.stderr.strip().splitlines()
    assert done.returncode not in (0, None), (words, done)
    assert len(said) == 1, done.stderr
    assert "Traceback" not in done.stdout and said[0].endswith("."), done
    return str(said[0])


class Running:
    """A command that runs on; its lines can be waited for."""

    def __init__(self, words: list[str], env: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._fresh: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", *words],
            env=env | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._fresh.put(line.rstrip())

    def says(self, words: str, wait: float = 60) -> str:
        """The next line with these words."""
        end = time.monotonic() + wait
        while (left := end - time.monotonic()) > 0:
            try:
                line = self._fresh.get(timeout=min(left, 0.2))
            except queue.Empty:
                assert self.process.poll() is None, "it ended:\n" + "\n".join(self.lines)
                continue
            if words in line:
                return line
        raise AssertionError(f"it never said {words!r}:\n" + "\n".join(self.lines))

    def family(self) -> dict[str, psutil.Process]:
        """The rooms that run under it, by their word."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            words = child.cmdline()
            if "-m" in words:
                found[words[words.index("-m") + 2 if words[words.index("-m") + 1] == "service" else -1]] = child
        return found

    def interrupt(self, wait: float = 60) -> float:
        """Ctrl-C, as the terminal sends it; returns how long the stop took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(wait)
        return time.monotonic() - began

    def end(self) -> None:
        """Nothing of it runs any more, whatever the test did."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self._reader.join(10)


def promised(seconds: float) -> float:
    """What is promised in seconds takes longer on a machine with more work than twice its cores, and only there."""
    return seconds * max(1.0, os.getloadavg()[0] / (2 * (os.cpu_count() or 1)))


def until(truth: Callable[[], bool], seconds: float = 20, what: str = "it never came true") -> None:
    """Waits until the truth holds."""
    end = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < end, what
        time.sleep(0.05)
