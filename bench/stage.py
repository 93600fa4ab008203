"""A Ringdesk for measuring: PostgreSQL with its usual safety, a firm of any size, and its processes as they are run."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import text

from service import prepare
from service.core import config, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.embedded import Embedded
from service.staff import rules

SECRET = "bench-secret"
CSRF = "bench-csrf"
FIRST_EXTENSION = 2001

PEOPLE = """
    insert into branch (code, name, name_en) values ('HQ', '总部', 'Headquarters');
    insert into role (name, permissions) select 'supervisor', :permissions;
    insert into staff (email, username, active, fs_uniquifier, name, branch_id, reach, locale)
        select 'p' || n || '@ringdesk.example', 'p' || n, true, 'u' || n, 'Person ' || n, 1, 'all', 'en'
        from generate_series(1, :people) n;
    insert into staff_role (staff_id, role_id) select id, 1 from staff;
    insert into staff_session (id, staff_id, began_at, seen_at) select 's' || id, id, now(), now() from staff;
    insert into extension_assignment (switch, extension, staff_id, valid_from)
        select 'pbx1', (:first + id - 1)::text, id, now() - interval '1 year' from staff;
    insert into role (name, permissions) values ('admin', 'staff.admin');
    insert into staff (email, username, active, fs_uniquifier, name, branch_id, reach, locale)
        values ('root@ringdesk.example', 'root', true, 'root', 'Root', 1, 'all', 'en');
    insert into staff_role (staff_id, role_id) select max(id), 2 from staff;
"""  # somebody administers, or each page is the one that sets a new firm up


@dataclass
class Stage:
    """The place of one run."""

    settings: Settings
    server: Embedded
    people: int
    children: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.settings.port}"

    def run(self, *words: str, log: str = "", **env: str) -> "subprocess.Popen[bytes]":
        """`ringdesk` with these words, in a process group of its own; what it says goes to a file."""
        place = self.settings.data / f"{log or words[0]}.log"
        with place.open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", "service", *words],
                stdout=out,
                stderr=out,
                env=os.environ | config.exported(self.settings) | env,
                start_new_session=True,
            )
        self.children.append(child)
        return child

    def python(self, module: str, *words: str) -> "subprocess.Popen[str]":
        """A helper process of the bench that is spoken to over its standard input and output."""
        child = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | config.exported(self.settings),
            start_new_session=True,
        )
        self.children.append(child)  # type: ignore[arg-type]
        return child

    def cookie(self, person: int) -> str:
        """The cookie of person 1 … people."""
        return signed(
            self.settings,
            {"sid": f"s{person}", "_user_id": f"u{person}", "_fresh": True, "_permanent": True, "csrf_token": CSRF},
        )

    def token(self) -> str:
        """What a page of any of these people sends as X-CSRFToken with a POST."""
        return str(URLSafeTimedSerializer(self.settings.secret_key, salt="wtf-csrf-token").dumps(CSRF))

    def healthy(self, wait: float = 30.0) -> float:
        """Waits until the pages answer; returns how long that took."""
        began = time.monotonic()
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except OSError:
                pass
            if time.monotonic() - began > wait:
                raise TimeoutError(f"{self.url} does not answer; see {self.settings.data / 'web.log'}")
            time.sleep(0.1)

    def end(self, child: "subprocess.Popen[Any]", number: int = signal.SIGTERM, wait: float = 8.0) -> None:
        """The child and its own children are gone."""
        if child.poll() is None:
            os.killpg(child.pid, number)
            try:
                child.wait(wait)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(5)


def signed(settings: Settings, data: dict[str, Any]) -> str:
    """A session cookie as Flask signs it."""
    app = Flask("cookie")
    app.secret_key = settings.secret_key
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return str(serializer.dumps(data))


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@contextmanager
def stage(
    *, people: int, ami_port: int, workers: int = 1, recordings: Path | None = None, unsafe_but_fast: bool = False
) -> Iterator[Stage]:
    """A migrated database with that many people, each with an extension and a sign-in; everything is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ringdesk-bench-"))
    folder.chmod(0o755)
    server = Embedded(folder / "postgresql", unsafe_but_fast=unsafe_but_fast)
    place: Stage | None = None
    try:
        server.start()
        place = Stage(_settings(folder, server, ami_port, workers, recordings), server, people)
        _people(place)
        yield place
    finally:
        for child in reversed(place.children if place else []):
            place.end(child) if place else None
        server.stop()
        if os.environ.get("RINGDESK_BENCH_KEEP"):
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path, server: Embedded, ami_port: int, workers: int, recordings: Path | None) -> Settings:
    (folder / "data").mkdir()
    switch = SwitchSettings(name="pbx1", port=ami_port, username="listener", secret=SECRET, recordings=recordings)
    loaded = config.load({"RINGDESK_DATA": str(folder / "data"), "RINGDESK_SECRET_KEY": "b" * 48})
    settings = prepare.resolve(replace(loaded, switches=(switch,), workers=workers, port=free_port()), server)
    prepare.migrate(settings)
    return settings


def _people(place: Stage) -> None:
    db.use(db.Database(place.settings, "bench").app)
    values = {
        "people": place.people,
        "first": FIRST_EXTENSION,
        "permissions": ",".join(sorted(rules.PERMISSIONS["manager"])),
    }
    with db.begin(scope.ALL) as session:
        for statement in PEOPLE.strip().split(";\n"):
            session.execute(text(statement.strip().rstrip(";")), values)
