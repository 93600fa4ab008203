"""Sends the doctor to each switch with all that the rooms know of it, keeps what it finds, and prints it."""

import json
import logging
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from telephony import doctor
from telephony.doctor import evidence
from telephony.doctor.conf import Conf
from telephony.doctor.facts import Desk, Facts, Place
from telephony.doctor.visit import visit
from telephony.switch import Switch

log = logging.getLogger(__name__)
JOB = "doctor"
DAYS = 3          # newest days of recordings that are counted
FILES = 2000      # files that are looked at in each
Findings = list[dict[str, Any]]


@dataclass(frozen=True)
class Report:
    """What was found at one switch."""

    switch: str
    at: datetime
    findings: Findings

    @property
    def wrong(self) -> bool:
        """True when something has to be changed."""
        return any(one["verdict"] == "wrong" for one in self.findings)


def examined(settings: Settings, *, at: datetime, only: str | None = None, etc: Path | None = None) -> list[Report]:
    """Every switch of the settings as it is now, or the one that is named."""
    known = [_facts(settings, switch, at, etc) for switch in settings.switches]
    chosen = [facts for facts in known if only in (None, facts.switch.name)]
    return [_report(replace(facts, twins=_twins(facts, known)), at) for facts in chosen]


def _report(facts: Facts, at: datetime) -> Report:
    return Report(facts.switch.name, at, [finding.plain() for finding in doctor.examine(facts)])


def _twins(facts: Facts, known: Iterable[Facts]) -> tuple[str, ...]:
    name = facts.visit.settings.get("systemname", "")
    others = (other for other in known if other.switch.name != facts.switch.name)
    return tuple(other.switch.name for other in others if name and other.visit.settings.get("systemname") == name)


def _facts(settings: Settings, switch: SwitchSettings, at: datetime, etc: Path | None) -> Facts:
    folder = settings.journal_dir / switch.name
    past = evidence.of_journal(folder, Switch(switch.name, switch.trunk_contexts, switch.extension_pattern))
    seen, now = visit(switch, [endpoint for endpoint, _ in past.inbound])
    conf = etc or switch.etc
    fetched = _fetched(switch, at) if switch.files_url else {}
    return Facts(
        switch=switch,
        visit=seen,
        evidence=evidence.together(past, now),
        conf=Conf(conf) if conf is not None and conf.is_dir() else None,
        desk=_desk(switch.name, at),
        switches=len(settings.switches),
        recordings=_recordings(switch, at) if switch.recordings is not None else None,
        vault=_own(settings.vault_dir),
        journal=_own(folder),
        queue_log=fetched.pop("queue_log", None) or (_file(switch.queue_log, at) if switch.queue_log is not None else None),
        fetched=fetched,
    )


def _desk(switch: str, at: datetime) -> Desk:
    from service.calls import queries as calls
    from service.staff import queries as staff

    try:
        with db.begin(scope.ALL) as session:
            queues = frozenset(name for there, name in calls.queue_labels(session) if there == switch)
            return Desk(queues, staff.taken_seats(session, switch, at), calls.doubted(session, switch))
    except (SQLAlchemyError, AssertionError) as error:
        log.warning("The database does not answer (%s); queues and seats are not compared", str(error).partition("\n")[0])
        return Desk(known=False)


def _recordings(switch: SwitchSettings, at: datetime) -> Place:
    """The folder below the one that is named is where this switch's recordings lie."""
    from recordings import names

    root = switch.recordings
    assert root is not None
    if not root.is_dir():
        return Place(str(root), there=False)
    if not os.access(root, os.R_OK | os.X_OK):
        return Place(str(root), readable=False)
    own = root / switch.name
    files = [name for day in names.all_days(own)[-DAYS:] for name in islice(names.files(own, day), FILES)]
    ours = sum(names.name_of(name) is not None for name in files)
    strange = 0 if ours else sum(1 for _ in islice(root.glob("**/*.wav"), FILES))
    return Place(str(own if own.is_dir() else root), free=_free(root), ours=ours, strange=strange)


def _own(folder: Path) -> Place:
    """A folder that Ringdesk's own processes write to, or will make in the nearest one that exists."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\0")
            file.flush()
    except OSError:
        return Place(str(folder), writable=False)
    return Place(str(folder), free=_free(there))


def _file(path: Path, at: datetime) -> Place:
    try:
        changed = path.stat().st_mtime
    except OSError:
        return Place(str(path), there=False)
    age = timedelta(seconds=max(0.0, at.timestamp() - changed))
    return Place(str(path), readable=os.access(path, os.R_OK), age=age)


def _fetched(switch: SwitchSettings, at: datetime) -> dict[str, Place]:
    """The switch's files as they can be had by SFTP now."""
    from telephony import mirror

    return {kind: Place(one.path, why=one.why, age=max(timedelta(), at - one.changed) if one.changed else None)
            for kind, one in mirror.seen(switch).items()}


def _free(folder: Path) -> int:
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def keep(reports: Iterable[Report]) -> None:
    """The reports are what the page shows."""
    from service.core.model import DoctorReport

    with db.begin(scope.ALL) as session:
        for report in reports:
            session.merge(DoctorReport(switch=report.switch, at=report.at, findings=report.findings))


def job(settings: Settings, _args: dict[str, Any]) -> None:
    """The page asked: every switch is examined and the answers are kept."""
    keep(examined(settings, at=clock.now()))


# ---- in a terminal --------------------------------------------------------------------------------------------------

MARK = {"ok": ("green", "✓"), "unseen": ("dim", "·"), "warning": ("yellow", "!"), "wrong": ("bold red", "✗")}


def show(reports: list[Report], locale: str, *, as_json: bool) -> None:
    """The reports on standard output, in that language."""
    from flask import Flask
    from flask_babel import Babel

    app = Flask("service")
    Babel(app, default_locale=locale, default_translation_directories=str(Path(__file__).parent / "translations"))
    with app.app_context():
        if as_json:
            print(json.dumps([_plain(report) for report in reports], ensure_ascii=False, indent=2))
        else:
            for report in reports:
                _print(report)


def _plain(report: Report) -> dict[str, Any]:
    from service.reports.doctor import told

    words = [told(one) for one in report.findings]
    findings = [{**one, "title": word.title, "said": word.said, "why": word.why} for one, word in zip(report.findings, words, strict=True)]
    return {"switch": report.switch, "at": report.at.isoformat(), "wrong": report.wrong, "findings": findings}


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from service.reports.doctor import in_order

    console = Console(highlight=False)
    table = Table(title=f"{report.switch} · {clock.local(report.at):%Y-%m-%d %H:%M:%S}", title_justify="left", show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")  # Chinese has no blanks to break at
    found = in_order(report.findings)
    for one in found:
        style, mark = MARK.get(one.verdict, ("", "?"))
        said = Text(one.said) if one.verdict == "ok" else Text.assemble(one.said, "\n", (one.why, "dim"))
        table.add_row(Text(f"{mark} {one.label}", style), Text(one.title), said)
    console.print(table)
    for one in found:
        if one.fixes:
            console.print(Text.assemble("\n", (f"{MARK.get(one.verdict, ('', '?'))[1]} {one.title}", MARK.get(one.verdict, ("", ""))[0])))
        for fix in one.fixes:
            console.print(Text(f"  {fix['file']}", "bold"))
            console.print(Text("\n".join(f"    {line}" for line in fix["lines"])), soft_wrap=True)
            if fix["then"]:
                console.print(Text(f"  $ {fix['then']}", "cyan"), soft_wrap=True)
