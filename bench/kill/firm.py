"""A firm as it is really run: `ringdesk up` with the embedded PostgreSQL in its usual safety, and ways to kill its parts."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, text

from bench.stage import FIRST_EXTENSION, PEOPLE, SECRET, free_port, signed
from service import prepare
from service.core import config, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.embedded import Embedded
from service.staff import rules

PATIENCE = 120.0  # seconds until something that must come back counts as lost; the machine may be busy


class Firm:
    """Settings, the embedded server and, once started, the supervisor with its children."""

    def __init__(self, folder: Path, ami_port: int, people: int) -> None:
        self.folder = folder
        self.asked = _settings(folder, ami_port)
        self.server = Embedded(folder / "data" / "postgresql")
        self.server.start()
        self.settings = prepare.resolve(self.asked, self.server)
        prepare.migrate(self.settings)
        self.engine: Engine = db.engine(self.settings.dsn_app, name="proof", pool_size=4)
        self._plant(people)
        self.up: subprocess.Popen[bytes] | None = None
        self.own: list[subprocess.Popen[bytes]] = []

    def _plant(self, people: int) -> None:
        values = {
            "people": people,
            "first": FIRST_EXTENSION,
            "permissions": ",".join(sorted(rules.PERMISSIONS["manager"])),
        }
        with db.begin(scope.ALL, self.engine) as session:
            for statement in PEOPLE.strip().split(";\n"):
                session.execute(text(statement.strip().rstrip(";")), values)

    def start(self) -> None:
        """The supervisor runs all rooms and the pages answer."""
        self.up = self.run("up", settings=self.asked)
        self.healthy()

    def run(self, *words: str, log: str = "", settings: Settings | None = None) -> "subprocess.Popen[bytes]":
        """`ringdesk` with these words, in a process group of its own; what it says goes to a file."""
        with (self.folder / f"{log or words[0]}.log").open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", "service", *words],
                stdout=out,
                stderr=out,
                env=os.environ | config.exported(settings or self.settings) | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self.own.append(child)
        return child

    def said(self, log: str) -> str:
        """What a process has said so far."""
        path = self.folder / f"{log}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def cookie(self, person: int) -> str:
        """The cookie of person 1 … people."""
        data = {"sid": f"s{person}", "_user_id": f"u{person}", "_fresh": True, "_permanent": True}
        return signed(self.settings, data)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """The answer of PostgreSQL, past all branches."""
        with db.begin(scope.ALL, self.engine) as session:
            return list(session.execute(text(statement), values).all())

    # ---- who lives, who dies ----------------------------------------------------------------------------

    def child(self, word: str) -> psutil.Process | None:
        """The supervisor's child that runs `ringdesk WORD`."""
        assert self.up is not None
        with suppress(psutil.Error):
            for process in psutil.Process(self.up.pid).children():
                with suppress(psutil.Error):
                    if word in process.cmdline()[:5]:
                        return process
        return None

    def kill(self, word: str) -> float:
        """kill -9 to the child's whole group, as soon as there is one; returns when."""
        process = until(lambda: self.child(word), f"{word} to run")
        at = time.time()
        os.killpg(process.pid, signal.SIGKILL)
        gone(process)
        return at

    def kill_postgresql(self) -> float:
        """kill -9 to the postmaster and every backend; returns when."""
        until(self.server.running, "PostgreSQL to run")
        pid = self.server.pid()
        assert pid is not None
        postmaster, at = psutil.Process(pid), time.time()
        everyone = [postmaster, *postmaster.children(recursive=True)]
        for process in everyone:
            with suppress(psutil.Error):
                process.kill()
        for process in everyone:
            gone(process)
        return at

    def answers(self) -> bool:
        """True when PostgreSQL takes a question."""
        try:
            return bool(self.rows("select 1"))
        except Exception:
            return False

    def healthy(self) -> None:
        """Waits until the pages answer."""
        until(self._page, "the pages to answer")

    def _page(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """No process of ours is left; the supervisor ends in its own orderly way."""
        for child in reversed(self.own):
            end(child)
        self.engine.dispose()
        self.server.stop()


def end(child: "subprocess.Popen[bytes]", wait: float = 12.0) -> None:
    """The process and its group are gone."""
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(wait)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait(5)


def gone(process: psutil.Process) -> None:
    """Waits until it runs no more, whoever has to bury it."""
    with suppress(psutil.Error):
        until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "a killed process to be gone")


def until(check: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """The first answer of check() that is true; raises TimeoutError when none comes."""
    end_ = time.monotonic() + patience
    while not (answer := check()):
        if time.monotonic() > end_:
            raise TimeoutError(f"waited {patience:g} s in vain for {what}")
        time.sleep(0.02)
    return answer


def _settings(folder: Path, ami_port: int) -> Settings:
    (folder / "data").mkdir()
    switch = SwitchSettings(name="pbx1", port=ami_port, username="listener", secret=SECRET)
    loaded = config.load({"RINGDESK_DATA": str(folder / "data"), "RINGDESK_SECRET_KEY": "k" * 48})
    return replace(loaded, switches=(switch,), threads=6, port=free_port(), locale="en")


@contextmanager
def firm(ami_port: int, people: int) -> Iterator[Firm]:
    """A firm in a folder of its own; everything is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ringdesk-kill-"))
    folder.chmod(0o755)
    place: Firm | None = None
    try:
        place = Firm(folder, ami_port, people)
        yield place
    finally:
        if place is not None:
            place.stop()
        if os.environ.get("RINGDESK_BENCH_KEEP"):
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
