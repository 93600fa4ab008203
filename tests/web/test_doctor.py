"""The doctor's page: who may open it, what it says in both languages, and that a job fills it; and the command."""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

import telephony.doctor
from service import doctor
from service.__main__ import main
from service.app import create_app
from service.core import clock, config, db, jobs, scope
from service.core.config import Settings, SwitchSettings
from service.core.jobs import Worker
from service.core.model import DoctorReport, Job
from service.reports import doctor as words
from service.wire import wire
from tests.doctor.test_checks import CASES, WELL
from tests.web.test_access import PAGE, signed_in, token

SOURCES = sorted(Path(telephony.doctor.__file__).parent.glob("*.py"))


@pytest.fixture(scope="module")
def nowhere() -> int:
    """A port at which nobody answers."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def ours(settings: Settings, nowhere: int) -> Settings:
    """Settings with one switch that is away."""
    return replace(settings, switches=(SwitchSettings("pbx1", port=nowhere, secret="s", recordings=settings.data / "monitor"),))


@pytest.fixture
def app(ours: Settings, database: db.Database) -> Iterator[Flask]:
    """All pages; the job's handler knows the same switch."""
    yield create_app(ours, database)


def test_only_administrators_come_in(app: Flask, committed_cast: SimpleNamespace) -> None:
    for person in ("dan", "ada", "cleo", "wang"):
        client = signed_in(app, person)
        form = {"csrf_token": token(client, "/tickets")}
        assert client.get("/settings/doctor", headers=PAGE).status_code == 403
        assert client.post("/settings/doctor", data=form, headers=PAGE).status_code == 403
        assert "/settings/doctor" not in client.get("/tickets", headers=PAGE).text
    assert app.test_client().get("/settings/doctor", headers=PAGE).headers["Location"].startswith("/sign-in")
    assert signed_in(app, "root").post("/settings/doctor").status_code == 400


def test_the_button_has_every_switch_examined(app: Flask, ours: Settings, committed_cast: SimpleNamespace, nowhere: int) -> None:
    root = signed_in(app, "root")
    assert "Not examined yet" in root.get("/settings/doctor", headers=PAGE).text
    form = {"csrf_token": token(root, "/settings/doctor")}
    for _ in range(2):
        assert root.post("/settings/doctor", data=form, headers=PAGE).status_code == 302
    assert "being examined" in root.get("/settings/doctor", headers=PAGE).text
    with db.begin(scope.ALL) as work:
        assert len(work.scalars(select(Job).where(Job.name == doctor.JOB)).all()) == 1

    wire(ours)
    assert Worker(db.bound()).step()

    page = root.get("/settings/doctor", headers=PAGE).text
    assert f"Nobody answers at 127.0.0.1:{nowhere}" in page
    assert "being examined" not in page
    assert 'class="badge wrong"' in page
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Job.state).where(Job.name == doctor.JOB)).all() == ["done"]


def test_a_switch_that_is_no_longer_set_up_is_not_shown(app: Flask, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        work.add(DoctorReport(switch="sold", at=clock.now(), findings=[]))
    assert "sold" not in signed_in(app, "root").get("/settings/doctor", headers=PAGE).text


def test_what_a_switch_says_is_text_in_the_page(app: Flask, committed_cast: SimpleNamespace) -> None:
    evil = "<script>alert(1)</script>%(x)s"
    finding = {"check": "queues", "code": "queues.unknown", "verdict": "warning", "values": {"queues": evil},
               "fixes": [{"file": evil, "lines": [evil], "then": evil}]}  # fmt: skip
    with db.begin(scope.ALL) as work:
        work.add(DoctorReport(switch="pbx1", at=clock.now(), findings=[finding, {"check": "new", "code": "new.kind", "verdict": "odd"}]))
    page = signed_in(app, "root").get("/settings/doctor", headers=PAGE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;%(x)s" in page


def codes() -> set[str]:
    """Every code that the checks' sources name, and those that the table of faults brought out."""
    said: set[str] = set()
    for path in SOURCES:
        said |= {f"{a}.{b}" for a, b in re.findall(r'(?:ok|unseen|warning|wrong)\)?\("(\w+)", "([\w-]+)"', path.read_text("utf-8"))}
        said |= {f"{check}.{kind}" for kind, check in re.findall(r'\b(ok|unseen)\("(\w+)"\)', path.read_text("utf-8"))}
    return said | {code for code, _, _ in CASES}


def test_each_code_has_its_words_and_each_word_its_code() -> None:
    assert len(codes()) > 70
    assert codes() - set(words.SAID) == set()
    checks = {code.partition(".")[0] for code in words.SAID}
    assert checks == set(words.TITLE) == set(words.WHY)


@pytest.mark.parametrize("locale", ["en", "zh_Hans_CN"])
def test_each_fault_can_be_told_in_both_languages(locale: str, app: Flask) -> None:
    with app.test_request_context(), force_locale(locale):
        for code, _, facts in CASES:
            for finding in telephony.doctor.examine(facts):
                told = words.told(finding.plain())
                assert told.said not in ("", code), code
                assert "%(" not in told.said
                assert "%%" not in told.said
                assert locale == "en" or re.search(r"[一-鿿]", told.said), told.said
                assert locale == "en" or re.search(r"[一-鿿]", told.why), told.why
        assert words.in_order(finding.plain() for finding in telephony.doctor.examine(WELL))[0].verdict == "unseen"


@pytest.fixture
def command(ours: Settings, clean: db.Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """`ringdesk` with these settings."""
    for name, value in config.exported(ours).items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def test_the_command_says_what_is_wrong_in_the_chosen_language(command: CliRunner, nowhere: int) -> None:
    english = command.invoke(main, ["doctor", "--lang", "en"])
    chinese = command.invoke(main, ["doctor", "--lang", "zh"])
    plain = command.invoke(main, ["doctor", "--json", "--lang", "en"])

    assert (english.exit_code, chinese.exit_code, plain.exit_code) == (1, 1, 1)
    assert "Switch answers" in english.output
    assert "bindaddr = 0.0.0.0" in english.output
    assert "交换机" in chinese.output
    report = json.loads(plain.stdout)[0]
    assert (report["switch"], report["wrong"]) == ("pbx1", True)
    away = next(one for one in report["findings"] if one["code"] == "reach.away")
    assert away["said"].startswith(f"Nobody answers at 127.0.0.1:{nowhere}")
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(DoctorReport.switch)).all() == ["pbx1"]


def test_a_switch_that_is_not_set_up_is_refused_in_one_sentence(command: CliRunner) -> None:
    refused = command.invoke(main, ["doctor", "--switch", "nobody"])
    assert refused.exit_code == 1
    assert "No such switch is configured" in refused.output


def test_a_queued_job_waits_until_it_is_done(clean: db.Database) -> None:
    with db.begin(scope.ALL) as work:
        assert not jobs.waits(work, "doctor")
        jobs.enqueue(work, "doctor", {}, at=clock.now())
        assert jobs.waits(work, "doctor")
