"""The `ringdesk` command: the front door of every process."""

import logging
import re
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

import click

from service.core import config
from service.core.config import Settings

PORT = click.IntRange(0, 65535)
SECONDS = click.FloatRange(0.1, 86_400)
DIALLED = re.compile(r"\+?[0-9*#]{1,20}")


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong is one sentence on stderr and an exit code that is not 0."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from sqlalchemy.exc import OperationalError

        from service.core.errors import DeskError
        from service.start import CannotStart, sentence_of

        try:
            return command(*args, **kwargs)
        except (config.BadSetting, DeskError, CannotStart) as error:
            raise click.ClickException(str(error)) from error
        except (OperationalError, OSError) as error:
            raise click.ClickException(sentence_of(error)) from error

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Ringdesk: call centre, service desk, stock room, ledger and reporting house in one program."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for room in ("service", "telephony", "recordings", "etl", "warehouse", "dashboards"):
        logging.getLogger(room).setLevel(logging.INFO)


@main.command()
@click.option("--port", type=PORT, help="where the pages are served (default 8080)")
@click.option("--calls-per-hour", type=float, default=90.0, show_default=True, help="how busy the simulated switch is")
@plainly
def demo(port: int | None, calls_per_hour: float) -> None:
    """Start a made-up firm with a simulated switch, to look around."""
    from service.demo import stage

    stage.play(_settings(port), calls_per_hour)


@main.command()
@click.option("--port", type=PORT, help="where the pages are served (default 8080)")
@plainly
def up(port: int | None) -> None:
    """Start everything against your own switch: web, boards, listener, jobs, schedule."""
    from service import start

    start.up(_settings(port))


@main.command()
@plainly
def web() -> None:
    """Serve the pages alone."""
    from service import asgi, start

    try:
        asgi.run(start.ready(config.load(existing=True)))
    except asgi.PortTaken as error:
        raise start.CannotStart(str(error)) from error


@main.command()
@plainly
def boards() -> None:
    """Draw the boards beside the web process, which has to know the same boards_port."""
    from service import start

    start.boards(start.ready(config.load(existing=True), patient=True))


@main.command()
@click.option("--switch", "name", help="which switch, when several are configured")
@click.option("--once", is_flag=True, help="end with an error instead of trying again when the switch is away or refuses the login")
@plainly
def listen(name: str | None, once: bool) -> None:
    """Listen to a switch alone."""
    from service import start
    from telephony import listener

    found = config.load(existing=True)
    settings = start.ready(found) if once else start.hearing(found)
    sys.exit(listener.run(settings, start.switch(settings, name).name, once=once))


@main.command()
@plainly
def jobs() -> None:
    """Do queued work alone, and collect recordings."""
    from service import start

    start.work(start.ready(config.load(existing=True), patient=True))


@main.command()
@plainly
def schedule() -> None:
    """Keep the timetable alone; several may run, one leads."""
    from etl import schedule as timetable
    from service import start

    timetable.run(start.ready(config.load(existing=True), patient=True))


@main.command()
@click.option("--full", is_flag=True, help="load everything again instead of what changed")
@plainly
def night(full: bool) -> None:
    """Load, prove and publish the archive now."""
    from service import start

    with start.briefly(config.load(existing=True)) as settings:
        code = start.night(settings, full=full)
    sys.exit(code)


@main.command()
@click.option("--switch", "name", help="which switch; all of them when left out")
@click.option("--since", type=click.DateTime(("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")), help="from when on, in the firm's time; from where the last run stopped when left out")
@plainly
def backfill(name: str | None, since: datetime | None) -> None:
    """Fill the gaps from the files that the switches write: cel, queue_log, cdr."""
    from service import start

    start.backfill(start.ready(config.load()), name, since)


@main.command()
@click.option("--switch", "name", help="which switch, when several are configured")
@click.option("--etc", type=click.Path(exists=True, file_okay=False), help="a copy of the switch's /etc/asterisk to read as well")
@click.option("--json", "as_json", is_flag=True, help="print it for programs")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="in which language (default: locale of the settings)")
@plainly
def doctor(name: str | None, etc: str | None, as_json: bool, lang: str | None) -> None:
    """Check how each switch is set up, and print what to change; exit code 1 when something is wrong."""
    from service import start

    languages = {"zh": "zh_Hans_CN", "en": "en"}
    settings = config.load()
    sys.exit(start.doctor(settings, name, etc, languages.get(lang or "", settings.locale), as_json=as_json))


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@plainly
def replay(words: tuple[str, ...]) -> None:
    """Print the calls of recorded AMI streams: replay FILE... --json [--switch FILE]."""
    from telephony import replay as replayed

    sys.exit(replayed.main(list(words)))


@main.command()
@click.option("--number", metavar="DIGITS", help="who calls; withheld when left out")
@click.option("--name", help="the name that the caller sends along")
@click.option("--extension", metavar="DIGITS", help="ring this phone alone")
@click.option("--queue", help="ring this queue; the hotline when neither is named")
@click.option("--answer-by", metavar="DIGITS", help="who in the queue answers")
@click.option("--after", type=SECONDS, default=4.0, show_default=True, help="seconds until it is answered")
@click.option("--talk", type=SECONDS, default=15.0, show_default=True, help="seconds until the caller hangs up")
@click.option("--patience", type=SECONDS, help="the caller gives up after so many seconds instead")
@plainly
def ring(**order: Any) -> None:
    """Let a call ring in the demo: ring --number 13800001001 --extension 801."""
    from service.demo import stage

    for name in ("number", "extension", "answer_by"):
        if order[name] is not None and not DIALLED.fullmatch(order[name]):
            raise click.BadParameter("use digits only, such as 13800001001 or 801", param_hint=f"--{name.replace('_', '-')}")
    if order["extension"] and order["queue"]:
        raise click.UsageError("A call rings one phone or a queue. Leave out --extension or --queue.")
    click.echo(stage.ring(config.load(existing=True), order))


@main.group()
def db() -> None:
    """The database: its roles, its tables, its people and their passwords."""


@db.command()
def roles() -> None:
    """Print the SQL that makes the three roles and the database on a PostgreSQL of your own."""
    from service import prepare

    click.echo(prepare.ROLES_SQL)


@db.command()
@plainly
def upgrade() -> None:
    """Bring the tables to the newest migration."""
    from service import start

    with start.briefly(config.load()):
        click.echo("The tables are up to date.")


@db.command()
@click.argument("username")
@click.option("--name", required=True, help="the person's name")
@click.password_option()
@plainly
def admin(username: str, name: str, password: str) -> None:
    """Make the first administrator, and the headquarters when there is none."""
    from service import start

    with start.briefly(config.load()) as settings:
        start.person(settings, username, name, password, "admin")
    click.echo(f"{username} can sign in now.")


@db.command()
@click.argument("username")
@click.option("--name", required=True, help="the person's name")
@click.option("--role", required=True, help="agent, supervisor, technician, finance, manager or admin")
@click.option("--branch", default="", help="code of the branch; the headquarters when left out")
@click.option(
    "--reach",
    type=click.Choice(["", "branch", "below", "all"]),
    default="",
    help="how far they see; as the role has it when left out",
)
@click.password_option()
@plainly
def person(username: str, name: str, role: str, branch: str, reach: str, password: str) -> None:
    """Make a person who can sign in. They say themselves at which phone they sit."""
    from service import start

    with start.briefly(config.load()) as settings:
        start.person(settings, username, name, password, role, branch=branch, reach=reach)
    click.echo(f"{username} can sign in now.")


@db.command("password")
@click.argument("username")
@click.option("--ask", is_flag=True, help="type the password instead of having one made")
@plainly
def new_password(username: str, ask: bool) -> None:
    """Give a person another password, print it, and end their sign-ins; it is kept on record."""
    from service import start

    typed = click.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else ""
    with start.briefly(config.load(existing=True)) as settings:
        password = start.new_password(settings, username, typed)
    click.echo(f"{username} can sign in with the new password now." if typed else password)


@db.command("let-in")
@click.argument("username")
@plainly
def let_in(username: str) -> None:
    """For who has lost the phone, or has shut out everybody: remove a second factor, locks and the address ranges of their roles."""
    from service import start

    with start.briefly(config.load(existing=True)) as settings:
        start.let_in(settings, username)
    click.echo(f"{username} signs in with the password alone now, from anywhere; it is kept on record.")


@main.group()
def recordings() -> None:
    """The audio in the vault: its keys, its seals, its proof."""


@recordings.command()
@plainly
def rotate() -> None:
    """Wrap every data key with a new master key; no audio is touched."""
    from recordings import vault

    count = vault.of(config.load()).rotate()
    click.echo(f"{count} recordings are under a new master key. Copy the key file to its safe place now.")


@recordings.command()
@plainly
def seal() -> None:
    """Seal audio that an older version kept as it was."""
    from recordings import sealing
    from service import start

    told = list(sealing.seal(start.ready(config.load())))
    for recording_id, why in told:
        if why:
            click.echo(f"Recording {recording_id} was not sealed: {why}.", err=True)
    failed = sum(bool(why) for _id, why in told)
    click.echo(f"{len(told) - failed} recordings were sealed.")
    sys.exit(1 if failed else 0)


@recordings.command()
@plainly
def verify() -> None:
    """Check every file against its hash and every day against the chain; exit code 1 when anything is broken."""
    from recordings import proof
    from service import start

    broken = 0
    for sentence in proof.verify(start.ready(config.load())):
        click.echo(sentence, err=True)
        broken += 1
    click.echo(start.verified(broken))
    sys.exit(1 if broken else 0)


def _settings(port: int | None) -> Settings:
    from dataclasses import replace

    settings = config.load()
    return settings if port is None else replace(settings, port=port)


if __name__ == "__main__":
    main(prog_name="ringdesk")
