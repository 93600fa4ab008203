"""A user's own PostgreSQL 15: what `ringdesk db roles` prints, run once by its administrator, is all that Ringdesk needs."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import psycopg2
import pytest
from sqlalchemy import text

from service.calls import actions as calls
from service.core import clock, config, db, scope
from service.core.config import Settings
from tests import make
from tests.conftest import in_ci
from tests.live import server
from tests.live.server import Listener
from tests.service.test_spine import ring
from tests.start import command
from tests.start.command import Running, until
from tests.telephony.ami import SECRET, Ami

BIN = Path("/usr/lib/postgresql/15/bin")
PAGE = {"Accept": "text/html"}


@dataclass(frozen=True)
class Server:
    """A PostgreSQL 15 that asks everybody for a password."""

    port: int
    password: str = "administrators own"

    def psql(self, script: str) -> str:
        """The script as the administrator runs it."""
        done = subprocess.run(
            [BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "admin", "postgres"],
            input=script, env={"PGPASSWORD": self.password}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dsn(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/ringdesk"


@contextmanager
def of_debian() -> Iterator[Server]:
    """A cluster of its own beside whatever the package started, as a user that is not root."""
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="ringdesk-own-"))
    who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    found = Server(command.free_port())
    (folder / "password").write_text(found.password)
    for path in (folder, folder / "password"):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    made = [BIN / "initdb", "-D", folder / "cluster", "-U", "admin", "-A", "scram-sha-256", "--no-sync"]
    more = [f"--pwfile={folder / 'password'}", "--locale=C.UTF-8", "--encoding=UTF8"]
    subprocess.run([*made, *more], cwd=folder, check=True, stdout=subprocess.DEVNULL, **who)  # type: ignore[call-overload]
    options = {"port": found.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
    given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("w") as log:
        postgres = subprocess.Popen([BIN / "postgres", "-D", folder / "cluster", *given], cwd=folder, stderr=log, **who)  # type: ignore[call-overload]
        try:
            _until_ready(found)
            yield found
        finally:
            postgres.terminate()
            postgres.wait(20)
            shutil.rmtree(folder)


def _until_ready(found: Server) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            psycopg2.connect(
                host="127.0.0.1", port=found.port, user="admin", password=found.password, dbname="postgres"
            ).close()
        except psycopg2.OperationalError:
            assert time.monotonic() < end, "PostgreSQL 15 does not start"
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")
def debian() -> Iterator[Server]:
    if not (BIN / "postgres").exists():
        if in_ci():
            pytest.fail("PostgreSQL 15 is missing; .ci/run installs it")
        words = "NOT TESTED: a user's own PostgreSQL 15. Install Debian's postgresql-15 to have it tested."
        warnings.warn(words, UserWarning, stacklevel=1)
        pytest.skip(words)
    with of_debian() as found:
        yield found


@pytest.fixture
def ami() -> Iterator[Ami]:
    switch = Ami()
    yield switch
    switch.close()


def printed(words: list[str], env: dict[str, str]) -> str:
    """What the command says when all is well."""
    done = subprocess.run(
        [sys.executable, "-m", "service", *words], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def prepared(debian: Server, data: Path) -> tuple[Settings, dict[str, str]]:
    """The roles are made as printed, with passwords of the administrator's own; settings that use them."""
    bare = command.without_database(data, RINGDESK_PORT=str(command.free_port()))
    script, count = re.subn(r"change-me-(\d)", r"secret\1", printed(["db", "roles"], bare))
    assert count == 3
    debian.psql(script)
    roles = {"OWNER": db.OWNER, "APP": db.APP, "NIGHT": db.NIGHT}
    addresses = {f"RINGDESK_DSN_{n}": debian.dsn(role, f"secret{i}") for i, (n, role) in enumerate(roles.items(), 1)}
    env = bare | addresses | {"RINGDESK_SECRET_KEY": "k" * 48, "RINGDESK_WORKERS": "1"}
    return replace(config.load(env), threads=4), env


def firm(own: db.Database) -> SimpleNamespace:
    """People, a customer, a call and a ticket, written by the real actions as the app role."""
    now = clock.now()
    with db.begin(scope.ALL, own.app) as work:
        cast = make.cast(work, now)
        make.line(work, cast.pudong, "support")
        customer = make.party(work, cast.pudong)
        make.phone(work, customer, "13800001001")
        make.device(work, customer)
        make.invoice(work, customer, "540.00", now.date(), now.date(), now)
        call = make.call(work, now)
        ticket = make.ticket(work, customer, cast.ada, now, call=("pbx1", call.call_key))
        return SimpleNamespace(**vars(cast), party=customer.id, call=call.id, ticket=ticket.id)


def nights(own: db.Database) -> list[tuple[str, str | None]]:
    with db.begin(scope.ALL, own.app) as work:
        return [tuple(row) for row in work.execute(text("select state, reason from night_run order by id"))]


def test_a_firm_runs_on_three_roles_of_its_own_postgresql(debian: Server, ami: Ami, tmp_path: Path) -> None:
    settings, env = prepared(debian, tmp_path)
    (tmp_path / "ringdesk.toml").write_text(
        f'[[switches]]\nname = "pbx1"\nport = {ami.port}\nusername = "listener"\nsecret = "{SECRET}"\n'
    )
    assert printed(["db", "upgrade"], env) == "The tables are up to date.\n"
    held = "rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication"
    assert (
        debian.psql(f"copy (select count(*) from pg_roles where rolname like 'ringdesk%' and ({held})) to stdout")
        == "0\n"
    )

    own = db.Database(settings, "own")
    ringdesk = Running(["up"], env)
    try:
        people = firm(own)
        ringdesk.says("Ringdesk answers at", 90)
        address = f"http://127.0.0.1:{env['RINGDESK_PORT']}"
        until(lambda: bool(ami.logins), 30, "the listener never came")
        until(lambda: [state for state, _ in nights(own)] == ["published"], 60, f"no night: {nights(own)}")
        pages_answer(address, settings, people, own)
        heard(address, settings, people, own)
        ringdesk.interrupt()
        assert "Generation 2 is published" in printed(["night"], env)
        branches_are_kept(own, people)
    finally:
        ringdesk.end()
        own.close()


def cookie(settings: Settings, person: make.Staff, own: db.Database) -> dict[str, str]:
    from service.staff import actions

    with db.begin(scope.ALL, own.app) as work:
        sid = actions.begin_session(work, person.id, at=clock.now(), address="", browser="")
    return {"ringdesk": server.signed(settings, {"sid": sid, "_user_id": person.fs_uniquifier, "_permanent": True})}


def pages_answer(address: str, settings: Settings, people: SimpleNamespace, own: db.Database) -> None:
    """Every kind of page is drawn from PostgreSQL 15, and the boards from the night's archive."""
    with httpx.Client(base_url=address, cookies=cookie(settings, people.root, own), headers=PAGE, timeout=30) as client:
        for path in (
            *("/desk", "/tickets", "/calls", "/customers?q=138", "/nights", f"/customers/{people.party}"),
            *(
                f"/tickets/{people.ticket}",
                f"/calls/{people.call}",
                "/dashboards/calls",
                "/dashboards/export/calls.xlsx",
            ),
        ):
            assert client.get(path).status_code == 200, path


def heard(address: str, settings: Settings, people: SimpleNamespace, own: db.Database) -> None:
    """A ringing phone reaches its agent's browser."""
    ada = Listener(address, cookie(settings, people.ada, own))
    ada.next("snapshot")
    with db.begin(scope.ALL, own.app) as work:
        pop = calls.phone_rings(work, ring(), at=clock.now())
    assert ada.next("pop").data["pop_id"] == pop
    ada.close()


def branches_are_kept(own: db.Database, people: SimpleNamespace) -> None:
    """The policies hold on 15 too."""
    with db.begin(scope.Scope((people.suzhou.id,)), own.app) as work:
        assert work.execute(text("select count(*) from party")).scalar_one() == 0
    with own.app.connect() as raw, pytest.raises(Exception, match="permission denied"):
        raw.execute(text("create temporary table x (id int)"))
    with own.night.connect() as raw, pytest.raises(Exception, match="permission denied"):
        raw.execute(text("delete from party"))
