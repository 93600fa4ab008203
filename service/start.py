"""How processes begin: a database that answers, tables that are new enough, then their work."""

import asyncio
import errno
import logging
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from service import prepare
from service.core import clock, config, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.embedded import Embedded
from service.core.errors import DeskError
from service.supervisor import Child, Supervisor


class CannotStart(Exception):
    """The process cannot begin; the message says what to do."""


log = logging.getLogger(__name__)
WATCH = 15.0  # seconds between two looks at the listeners
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.EISDIR)


def sentence_of(error: Exception) -> str:
    """A failure of the machine or the database, told in one sentence."""
    if isinstance(error, OSError) and error.errno in FULL:
        return "The disk is full. Free space under the data folder and start again; nothing is half-written."
    if isinstance(error, OSError) and error.errno in NO_PLACE and error.filename:
        return (
            f"{error.filename} cannot be used ({error.strerror}). "
            "Give this user the rights, or set RINGDESK_DATA to a folder that can be written."
        )
    if isinstance(error, OperationalError):
        why = (str(error.orig).strip().splitlines() or ["no answer"])[0].rstrip(".")
        return f"The database cannot be used: {why}. Check that PostgreSQL runs and the address is right."
    return f"{type(error).__name__}: {error}"


def ready(settings: Settings, *, patient: bool = False) -> Settings:
    """Settings whose database answers and is migrated; a patient process waits for it, and says so, instead of ending."""
    said = ""
    while True:
        try:
            resolved = prepare.resolve(settings, _server(settings))
            prepare.migrate(resolved)
            prepare.check(resolved)
        except (prepare.Unreachable, OperationalError) as error:
            if not patient:
                raise
            sentence = str(error) if isinstance(error, DeskError) else sentence_of(error)
            if sentence != said:
                click.echo(f"{sentence} Waiting for it.", err=True)
                said = sentence
            time.sleep(1.0)
        else:
            db.use(db.Database(resolved, "process").app)
            return resolved


@contextmanager
def briefly(settings: Settings) -> Iterator[Settings]:
    """Settings as `ready` gives them; a PostgreSQL that this command had to start ends with it, unless others use it by then."""
    server = prepare.embedded(settings)
    ours = server is not None and not server.running()
    try:
        yield ready(settings)
    finally:
        if server is not None and ours and server.running():
            _leave(settings, server)


def _leave(settings: Settings, server: Embedded) -> None:
    try:
        with alone(settings):
            db.let_go()
            if not prepare.in_use(server):
                server.stop()
    except CannotStart:
        return  # a whole Ringdesk has begun on this folder meanwhile, and the server is its own now


def hearing(settings: Settings) -> Settings:
    """Settings to hear a switch with: a database whose address is known is not waited for, the journal keeps what comes."""
    if not settings.dsn_app:
        return ready(settings, patient=True)
    try:
        return ready(settings)
    except (prepare.Unreachable, OperationalError) as error:
        sentence = str(error) if isinstance(error, DeskError) else sentence_of(error)
        click.echo(f"{sentence} Hearing begins without it.", err=True)
        db.use(db.Database(settings, "process").app)
        return settings


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Nobody else supervises this data folder; two would stop each other's PostgreSQL."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "supervisor.lock").open("a") as file:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CannotStart(
                    f"Another Ringdesk runs on {settings.data}. Stop it first, or set RINGDESK_DATA to another folder."
                ) from error
        yield


def _server(settings: Settings) -> Embedded | None:
    server = prepare.embedded(settings)
    if server and not server.running():
        server.start()
    return server


def switch(settings: Settings, name: str | None) -> SwitchSettings:
    """The switch of that name, or the only one."""
    for candidate in settings.switches:
        if name in (None, candidate.name):
            return candidate
    raise CannotStart(
        "No such switch is configured. Name one under [[switches]] in ringdesk.toml: "
        "name, host, port, username, secret."
    )


def up(settings: Settings) -> None:
    """Everything runs until Ctrl-C: pages, a listener for each switch, jobs and the timetable."""
    with alone(settings):
        free_port(settings)
        server = _server(settings)
        resolved = ready(settings)
        if not resolved.switches:
            click.echo(
                "No switch is configured yet: name one under [[switches]] in "
                f"{resolved.data / 'ringdesk.toml'} (docs/installation.md) and start again to hear calls."
            )
        supervise(resolved, server, rooms(resolved), f"Ringdesk answers at http://{resolved.host}:{resolved.port}")


def free_port(settings: Settings) -> None:
    """The web port can be taken; refused at once instead of restarting for ever."""
    from service import asgi

    try:
        asgi.bind(settings.host, settings.port).close()
    except asgi.PortTaken as error:
        raise CannotStart(str(error)) from error


def any_port() -> int:
    """A port of this machine alone that nobody listens at now."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def rooms(settings: Settings) -> list[Child]:
    """The processes of a running Ringdesk, in their order of start."""
    env = config.exported(replace(settings, boards_port=settings.boards_port or any_port()))
    listeners = [Child(f"listen {s.name}", ("service", "listen", "--switch", s.name), env) for s in settings.switches]
    return [
        Child("web", ("service", "web"), env),
        Child("boards", ("service", "boards"), env),
        *listeners,
        Child("jobs", ("service", "jobs"), env),
        Child("schedule", ("service", "schedule"), env),
    ]


def boards(settings: Settings) -> None:
    """The boards are drawn for the web process until SIGTERM; pops and pages come first."""
    from service import asgi
    from service.boards import modest

    if not settings.boards_port:
        raise CannotStart("boards_port is not set. Give the web process and this one the same free port.")
    modest()
    # Who asks here is the web process of this machine, which knows the browser's address.
    own = replace(settings, host="127.0.0.1", port=settings.boards_port, boards_port=0, workers=1, trusted_proxies="127.0.0.1/32")
    try:
        asgi.run(own, "The boards are drawn", tells_owner=False)
    except asgi.PortTaken as error:
        raise CannotStart(str(error).replace("RINGDESK_PORT", "RINGDESK_BOARDS_PORT")) from error


def supervise(settings: Settings, server: Embedded | None, children: list[Child], greeting: str) -> None:
    """The children run until Ctrl-C; the greeting is printed once the pages answer."""

    async def run() -> None:
        await Supervisor(children, server, click.echo).run(lambda: _greet(settings, greeting))

    asyncio.run(run())
    click.echo("Stopped.")


async def _greet(settings: Settings, greeting: str) -> None:
    """Waits until the page process listens, then greets."""
    while True:
        try:
            _reader, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            click.echo(greeting)
            return


def work(settings: Settings) -> None:
    """Two workers take jobs, one watcher collects recordings and one sees that listeners live, until SIGTERM."""
    from recordings import watch as collector
    from service.core import jobs
    from service.wire import wire

    wire(settings)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    threads = [threading.Thread(target=jobs.Worker(db.bound()).run, args=(stop,), daemon=True) for _ in range(2)]
    threads.append(threading.Thread(target=collector.watch, args=(settings, stop), daemon=True))
    threads.append(threading.Thread(target=_watch_feeds, args=(settings, stop), daemon=True))
    for thread in threads:
        thread.start()
    while not stop.wait(0.5):
        pass
    for thread in threads:
        thread.join(2.0)


def _watch_feeds(settings: Settings, stop: threading.Event) -> None:
    from service.calls import actions

    names = [switch.name for switch in settings.switches]
    while not stop.wait(WATCH):
        try:
            with db.begin(scope.ALL) as session:
                actions.watch_feeds(session, names, at=clock.now())
        except SQLAlchemyError as error:  # looked at again when the database is back
            log.warning("The listeners are not watched: %s", str(error).splitlines()[0])


def verified(broken: int) -> str:
    """The last line of a proof; the head of the chain is worth writing down where nobody can change it."""
    from service.calls.shelf import queries

    with db.begin(scope.ALL) as session:
        kept, head = queries.shelf(session).kept, queries.chain_head(session)
    said = f"{broken} broken." if broken else f"{kept} recordings are as they were collected."
    return f"{said} The chain ends at {head[0]} with {head[1]}." if head else said


def doctor(settings: Settings, name: str | None, etc: str | None, locale: str, *, as_json: bool) -> int:
    """Each switch is examined, the page shows the same, and it is printed; returns 1 when something is wrong."""
    from service import doctor as house

    switch(settings, name)
    try:
        resolved, known = ready(settings), True
    except (prepare.Unreachable, OperationalError) as error:
        click.echo(f"{error if isinstance(error, DeskError) else sentence_of(error)} The switch is looked at without it.", err=True)
        resolved, known = settings, False
    clock.use(settings.timezone)
    reports = house.examined(resolved, at=clock.now(), only=name, etc=Path(etc) if etc else None)
    if known:
        house.keep(reports)
    house.show(reports, locale, as_json=as_json)
    return int(any(report.wrong for report in reports))


def night(settings: Settings, *, full: bool) -> int:
    """The archive is loaded, proven and published, with progress in the terminal; returns the exit code."""
    from etl import nightly
    from service.wire import wire

    wire(settings)
    at = clock.now()
    with Bar() as bar:
        outcome = nightly.run(settings, slot=f"by hand {clock.local(at, settings.timezone):%Y-%m-%d %H:%M:%S}", at=at, full=full, progress=bar.move)
    if outcome.refused:
        click.echo(f"Not published: {outcome.refused}", err=True)
        return 1
    click.echo(f"Generation {outcome.generation} is published: {outcome.rows} rows in {outcome.seconds:.1f} s.")
    return 0


def backfill(settings: Settings, name: str | None, since: datetime | None) -> None:
    """The gaps of that switch, or of all that write files, are filled; each run ends with one sentence."""
    from telephony import backfill as filling

    chosen = [switch(settings, name)] if name else [one for one in settings.switches if one.files]
    if not chosen:
        raise CannotStart("No switch has files to read. Name cel, queue_log and cdr under [[switches]] (docs/backfill.md).")
    began = since.replace(tzinfo=settings.timezone) if since else None
    refused: list[str] = []
    for one in chosen:
        try:
            with Bar("backfill") as bar:
                done = filling.run(settings, one, why="by hand", at=clock.now(), since=began, progress=bar.move)
        except DeskError as error:
            refused.append(f"{one.name}: {error}")  # a switch that is away does not hold up the others
            continue
        click.echo(
            f"{one.name}: {done.records} records, {done.calls} calls; {done.found} were missing and are stored, "
            f"{done.mended} were corrected, {done.filled} gaps are filled. {done.note}".strip()
        )
    if refused:
        raise CannotStart("\n".join(refused))


@dataclass
class Bar:
    """A progress bar in a terminal; silent elsewhere."""

    name: str = "night"

    def __enter__(self) -> "Bar":
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.bar = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            transient=True,
        )
        self.bar.start()
        self.task = self.bar.add_task(self.name, total=None)
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def move(self, step: str, done: int, total: int) -> None:
        """The bar shows the step and how much of it is done."""
        self.bar.update(self.task, description=step, completed=done, total=total or None)


def person(settings: Settings, username: str, name: str, password: str, role: str, **more: str) -> None:
    """The person can sign in; a headquarters exists when there was no branch."""
    from service.staff import actions
    from service.staff.security import sealing

    sealing.use(settings.secret_key)
    _long_enough(password)
    with db.begin(scope.ALL) as session:
        actions.hire(session, username, name, password, role=role, must_change=role != "admin", at=clock.now(), **more)


def new_password(settings: Settings, username: str, typed: str = "") -> str:
    """The person signs in with this password from now on; one is made when none was typed."""
    from service.staff import actions

    password = typed or secrets.token_urlsafe(12)
    _long_enough(password)
    with db.begin(scope.ALL) as session:
        actions.give_password(session, username, password, at=clock.now())
    return password


def let_in(settings: Settings, username: str) -> None:
    """The person signs in with their password alone, from anywhere; a role that demands a second factor has them set one up."""
    from service.staff.security import policy

    with db.begin(scope.ALL) as session:
        policy.let_in(session, username, at=clock.now())


def _long_enough(password: str) -> None:
    if len(password) < 10:
        raise CannotStart("The password needs at least 10 characters.")
