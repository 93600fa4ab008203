"""The demo: a made-up firm on the embedded PostgreSQL, a first archive, and a simulated switch that rings."""

import asyncio
import json
import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from sqlalchemy import text

from service import prepare, start
from service.core import clock, db, scope, search
from service.core.config import Settings, SwitchSettings
from service.demo import names, seed, voices
from service.devices import index as devices
from service.parties import index as parties
from service.supervisor import Child
from service.tickets import index as tickets

AGENTS = ",".join(f"{extension}={name}" for _, name, _, _, _, extension in names.PEOPLE if extension)


def play(settings: Settings, calls_per_hour: float) -> None:
    """The firm is there and rings, until Ctrl-C."""
    if prepare.embedded(settings) is None:
        raise start.CannotStart("The demo makes its own database. Unset RINGDESK_DSN_OWNER, _APP and _NIGHT, or use `ringdesk up`.")
    settings = replace(settings, host="127.0.0.1")
    with start.alone(settings):
        _perform(settings, calls_per_hour)


def _perform(settings: Settings, calls_per_hour: float) -> None:
    start.free_port(settings)
    click.echo(f"Preparing the demo in {settings.data} …")
    server = prepare.embedded(settings)
    assert server is not None
    server.start()
    try:
        settings = _switched(start.ready(settings))
        _furnish(settings)
    except BaseException:
        server.stop()
        raise
    children = [_simulator(settings, calls_per_hour), *start.rooms(settings)]
    start.supervise(settings, server, children, greeting(settings))


def _switched(settings: Settings) -> Settings:
    """One simulated switch on a free port, with a secret of this start."""
    recordings = settings.data / "demo" / "monitor"
    recordings.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_hex(12)
    simulated = SwitchSettings(
        name=names.SWITCH,
        port=start.any_port(),
        username="listener",
        secret=secret,
        actor_username="actor",
        actor_secret=secret,
        recordings=recordings,
    )
    # Four people answer a call a minute: a whole minute of writing down after each would leave callers alone.
    return replace(settings, switches=(simulated,), acw_seconds=min(settings.acw_seconds, 20))


def _furnish(settings: Settings) -> None:
    """People, customers and history on the first start; the first archive generation too."""
    with db.begin(scope.ALL) as session:  # the made-up switch was off as well: nobody rang while the demo was
        session.execute(text("update feed_gap set ended_at = coalesce(ended_at, now()), filled_at = now() where filled_at is null"))
    if _planted(settings):
        voices.record(settings.switches[0])
    if not (settings.warehouse_dir / "current").exists():
        click.echo("Loading the archive for the first time …")
        if start.night(settings, full=True):
            raise start.CannotStart("The first archive was refused; the sentence above says why.")


def _planted(settings: Settings) -> bool:
    """True when the firm was not there and is now."""
    with db.begin(scope.ALL) as session:
        if seed.present(session):
            return False
        click.echo("Inventing the firm and its last ninety days …")
        seed.plant(session, now=clock.now(), zone=settings.timezone)
    search.rebuild((parties.rebuild, devices.rebuild, tickets.rebuild), {})
    return True


def _simulator(settings: Settings, calls_per_hour: float) -> Child:
    callers = settings.data / "demo" / "callers.json"
    with db.begin(scope.ALL) as session:
        known = session.execute(text("select raw, null from party_phone where kind = 'e164' order by id")).all()
    callers.write_text(json.dumps([list(row) for row in known]), "utf-8")
    control = start.any_port()
    (settings.data / "demo" / "control-port").write_text(str(control))
    switch = settings.switches[0]
    words = (
        "telephony.simulator",
        "--port",
        str(switch.port),
        "--control-port",
        str(control),
        "--recordings",
        str(switch.recordings),
        "--calls-per-hour",
        str(calls_per_hour),
        "--agents",
        AGENTS,
        "--callers",
        str(callers),
        "--seed",
        str(int(clock.now().timestamp())),
    )
    return Child("switch", words, {"RINGDESK_SWITCH_SECRET": switch.secret})


def ring(settings: Settings, order: Mapping[str, Any]) -> str:
    """The demo's switch lets a call ring at once; returns its linkedid."""
    from telephony.simulator import control

    place = settings.data / "demo" / "control-port"
    if not place.exists():
        raise start.CannotStart(f"No demo runs on {settings.data}. Start `ringdesk demo` first, or set RINGDESK_DATA to its folder.")
    given = {name: value for name, value in order.items() if value is not None}
    if "patience" in given:
        del given["after"]
    try:
        answer = asyncio.run(control.ask(int(place.read_text()), {"verb": "ring", **given}))
    except (OSError, ValueError) as error:
        raise start.CannotStart(f"The demo on {settings.data} does not answer. Start `ringdesk demo` first, or set RINGDESK_DATA to its folder.") from error
    if not answer.get("ok"):
        raise start.CannotStart(str(answer.get("why")))
    return str(answer["call"])


def greeting(settings: Settings) -> str:
    """Where to go, who can sign in, and what to click first."""
    command = shlex.quote(os.path.relpath(sys.argv[0])) if sys.argv[0].endswith("ringdesk") else "ringdesk"
    people = "\n".join(
        f"    {username:<14}{', '.join(roles):<14}{name}{f'  (phone {ext})' if ext else ''}"
        for username, name, _, roles, _, ext in names.PEOPLE
    )
    return f"""
  Ringdesk is ready:  http://{settings.host}:{settings.port}

  Everybody's password is  {names.PASSWORD}
{people}

  Click first: sign in as agent and stay at the desk; the switch rings within a minute or two,
  or make it ring now, from this folder (answered after 4 s, over after 15 s more; `ring --help` has the rest):
    {command} ring --number 13800001001 --extension 801
  Then sign in as manager (another browser) for the boards. Ctrl-C stops everything.
"""
