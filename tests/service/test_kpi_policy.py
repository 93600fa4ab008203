"""The policy for key figures: what it means, that a version stays as it is, and who may add one."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from service.app import create_app
from service.calls.kpi import actions, queries
from service.core import clock, db, kpi, kpi_words, scope
from service.core.config import Settings
from service.core.errors import Invalid
from service.core.kpi import Figures, Policy, measured
from service.core.model import AuditEntry
from tests.conftest import AT
from tests.signin.people import PAGE, browser, token

TODAY = clock.local(AT).date()
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def app(settings: Settings, database: db.Database) -> Flask:
    return create_app(settings, database)


@pytest.mark.parametrize(
    ("formula", "hits", "counted"), [(kpi.STANDARD, 1, 4), (kpi.PERF, 1, 2), (kpi.PERF2, 3, 5), (kpi.LATE, 1, 3)]
)
def test_each_formula_counts_its_own_calls(formula: str, hits: int, counted: int) -> None:
    policy = Policy(level_formula=formula)
    answered = [measured(policy, answered=True, abandoned=False, wait=wait) for wait in (20, 20.001)]
    gone = [measured(policy, answered=False, abandoned=True, wait=wait) for wait in (4.999, 5, 21)]
    other = measured(policy, answered=False, abandoned=False, wait=99)

    every = [*answered, *gone, other]
    assert (sum(one.hit for one in every), sum(one.counted for one in every)) == (hits, counted)
    assert [one.short for one in gone] == [True, False, False]


def test_nothing_counted_has_no_ratio() -> None:
    empty = Figures()
    assert (empty.level, empty.abandonment, empty.speed, empty.handle_time, empty.first_contact) == (None,) * 5


def test_the_shipped_policy_is_what_the_screens_measured_by_so_far(session: Session) -> None:
    assert queries.policies(session) == [Policy(1, date(1970, 1, 1), 20, 5, 80, kpi.STANDARD, 85, 7, 24)]


def test_a_new_version_begins_tomorrow_and_is_on_record(session: Session, cast: SimpleNamespace) -> None:
    version = actions.add(session, Policy(0, TOMORROW, 30), " slower in winter ", by=cast.mei.id, at=AT)

    assert version == 2
    found = queries.stretches(session)
    assert (kpi.of_day(found, TODAY).version, kpi.of_day(found, TOMORROW).version) == (1, 2)
    newest = queries.versions(session)[0]
    assert (newest.policy.within_seconds, newest.note, newest.set_by_id, newest.set_at) == (30, "slower in winter", cast.mei.id, AT)
    told = session.scalars(select(AuditEntry).where(AuditEntry.entity == "kpi_policy")).one()
    assert (told.verb, told.entity_id, told.by_id) == ("add version", 2, cast.mei.id)
    assert told.new is not None and told.new["valid_from"] == TOMORROW.isoformat()


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (Policy(0, TODAY), "valid_from"), (Policy(0, TOMORROW, within_seconds=0), "within_seconds"), (Policy(0, TOMORROW, short_seconds=-1), "short_seconds"),
        (Policy(0, TOMORROW, call_target=101), "call_target"), (Policy(0, TOMORROW, level_formula="best"), "level_formula"),
    ],
)  # fmt: skip
def test_what_no_policy_may_say_is_refused_by_field(session: Session, cast: SimpleNamespace, policy: Policy, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.add(session, policy, by=cast.mei.id, at=AT)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize("statement", ["update kpi_policy set within_seconds = 1", "delete from kpi_policy"])
def test_a_past_version_can_never_be_changed(session: Session, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))


def test_a_manager_previews_and_adds_and_a_supervisor_only_looks(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    first = (clock.local(clock.now()).date() + timedelta(days=1)).isoformat()
    typed = {"level_formula": kpi.PERF2, "within_seconds": "30", "short_seconds": "5", "call_target": "85", "occupancy_warning": "90", "fcr_days": "7",
             "recovery_hours": "24", "valid_from": first}
    mei, cleo = browser(app, settings, committed_cast.mei), browser(app, settings, committed_cast.cleo)
    typed |= {"csrf_token": token(mei, "/settings/kpi")}

    preview = mei.post("/settings/kpi", data=typed | {"preview": "1"}, headers=PAGE)
    assert preview.status_code == 200 and "(Answered within 30 s + abandoned within 30 s) ÷ (answered + abandoned)" in preview.text
    assert mei.post("/settings/kpi", data=typed | {"within_seconds": "x"}, headers=PAGE).status_code == 422
    with db.begin(scope.ALL) as session:
        assert len(queries.policies(session)) == 1
    assert mei.post("/settings/kpi", data=typed, headers=PAGE).status_code == 302
    with db.begin(scope.ALL) as session:
        assert queries.policies(session)[1].call_target == 85
    shown = cleo.get("/settings/kpi", headers=PAGE)
    assert shown.status_code == 200 and first in shown.text and "Add this version" not in shown.text


def test_a_span_over_a_change_names_both_formulas(app: Flask) -> None:
    policies = Policy(1), Policy(2, TOMORROW, 30, level_formula=kpi.PERF)
    with app.test_request_context():
        told = kpi_words.level(policies, Figures(offered=10, answered=8, abandoned=2, hits=6, within=6, counted=9))
    assert (told.formula.count("÷"), told.numbers) == (2, "6 ÷ 9 = 66.7%")
