"""The place of the load: a busy Asterisk, PostgreSQL in its usual safety, our listener, and beside it one that only stores bytes."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from bench.backfill.load import BusyLab, Load
from bench.stage import PEOPLE
from service import prepare
from service.core import config, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.embedded import Embedded

FIRST_PHONE = 3000


@dataclass
class Place:
    """All of it, running."""

    settings: Settings
    server: Embedded
    lab: BusyLab
    load: Load
    listener: psutil.Process
    storing: psutil.Process
    stored: Path  # what the peer wrote

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """The database's answer."""
        with db.begin(scope.ALL) as session:
            return list(session.execute(text(statement), values).all())

    @property
    def cel(self) -> Path:
        """What the switch wrote down of its channels."""
        return self.lab.files["cel"]

    def journal(self) -> list[Path]:
        """The listener's segments, oldest first."""
        return sorted((self.settings.journal_dir / "pbx1").glob("*.ami"))

    def who(self) -> dict[str, list[psutil.Process]]:
        """Whose processor time is counted."""
        sipp = [one for child in self.load._children if child.poll() is None for one in [psutil.Process(child.pid)]]
        asterisk = psutil.Process(self.lab._process.pid) if self.lab._process else None
        pid = self.server.pid()
        postmaster = psutil.Process(pid) if pid else None
        return {"ours": [self.listener], "storing": [self.storing], "Asterisk": [asterisk] if asterisk else [], "SIPp": sipp,
                "PostgreSQL": [postmaster, *postmaster.children()] if postmaster else []}


@contextmanager
def place(phones: int, rate: float) -> Iterator[Place]:
    """A migrated firm with a person at each phone, heard by both; everything is gone afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="ringdesk-load-"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        lab = stack.enter_context(BusyLab(phones))
        server = Embedded(folder / "postgresql")
        server.start()
        stack.callback(server.stop)
        settings = _settings(folder, server, lab)
        _people(settings, phones)
        load = Load(lab, folder, rate)
        stack.callback(load.end)
        load.begin()
        ours = stack.enter_context(_running([sys.executable, "-m", "service", "listen"], folder, os.environ | config.exported(settings)))
        peer = stack.enter_context(_running([sys.executable, "-m", "bench.load.storing", lab.host, str(lab.ami_port), "listener",
                                             str(folder / "stored.ami")], folder, os.environ | {"BENCH_SECRET": lab.secret}))
        made = Place(settings, server, lab, load, ours, peer, folder / "stored.ami")
        _heard(made)
        yield made


def _settings(folder: Path, server: Embedded, lab: BusyLab) -> Settings:
    switch = SwitchSettings(name="pbx1", port=lab.ami_port, username="listener", secret=lab.secret, files_timezone="UTC", **lab.files)  # type: ignore[arg-type]
    asked = config.load({"RINGDESK_DATA": str(folder / "data"), "RINGDESK_SECRET_KEY": "b" * 48, "RINGDESK_PORT": "0"})
    settings = replace(prepare.resolve(asked, server), switches=(switch,))
    prepare.migrate(settings)
    return settings


def _people(settings: Settings, phones: int) -> None:
    db.use(db.Database(settings, "bench").app)
    with db.begin(scope.ALL) as session:
        for statement in PEOPLE.strip().split(";\n"):
            session.execute(text(statement.strip().rstrip(";")), {"people": phones, "first": FIRST_PHONE, "permissions": ""})


@contextmanager
def _running(words: list[str], folder: Path, env: dict[str, str]) -> Iterator[psutil.Process]:
    with (folder / "said.log").open("ab") as out:
        child = subprocess.Popen(words, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if os.environ.get("RINGDESK_BENCH_KEEP"):
            print((folder / "said.log").read_text("utf-8", "replace"), file=sys.stderr)


def _heard(made: Place, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if made.rows("select 1 from feed_state where up") and made.stored.exists() and made.stored.stat().st_size:
            return
        time.sleep(0.3)
    raise SystemExit("The listener or its peer did not sign in at the switch.")
