"""The staffing board on a small archive: which days and calls count, what follows of them, and that screen, workbook and calls board agree."""

import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import openpyxl
import pandas as pd
import pytest
from dash.exceptions import PreventUpdate
from flask import Flask
from flask_babel import Babel

from dashboards import app as boards
from dashboards import erlang, excel, plan
from dashboards.pages import staffing as board
from dashboards.pages import staffing_charts as charts
from dashboards.plan import Plan, Slot
from dashboards.questions import calls
from dashboards.questions import staffing as ask
from dashboards.state import State, parse
from etl import nightly
from service.core import db, scope
from service.core.config import Settings
from service.core.identity import Identity
from service.core.kpi import Policy
from service.core.scope import Scope
from tests import make
from tests.conftest import AT
from warehouse.read import Archive, Generation, View

WEEK = timedelta(days=7)
LOST = {"agent": None, "answered_by": None, "disposition": "abandoned", "talk_seconds": None}


@pytest.fixture
def generation(settings: Settings, committed_cast: SimpleNamespace, clean: db.Database, tmp_path: Path) -> Generation:
    """Support: three calls at nine on one Monday, five on the next and one at half past; sales: two on a Tuesday, of twice the length.

    A call of the night's own day, at five in the morning, belongs to a day that is not over.
    """
    with db.begin(scope.ALL, clean.app) as work:
        make.line(work, committed_cast.pudong, "support", label="Support")
        make.line(work, committed_cast.suzhou, "sales", label="Sales")
        for number in range(3):
            make.call(work, AT - WEEK + timedelta(minutes=number), agent="1001" if number else "1002", answered_by="1001" if number else "1002")
        for number in range(5):
            make.call(work, AT + timedelta(minutes=number))
        make.call(work, AT + timedelta(minutes=35), **LOST)
        for number in range(2):
            make.call(work, AT - timedelta(days=6) + timedelta(minutes=number), queue="sales", talk_seconds=Decimal(240), agent=None, answered_by=None)
        make.call(work, AT + timedelta(hours=20))
    own = replace(settings, data=tmp_path)
    assert nightly.run(own, slot="2026-11-24", at=AT + timedelta(hours=21)).refused is None
    return Archive(own.warehouse_dir).generation()


def state(generation: Generation, search: str = "") -> State:
    return parse("staffing", search, generation.run)


def found(generation: Generation, search: str = "", view: View | None = None) -> board.Found:
    made = board.reckoned(view or generation.view(scope.ALL), state(generation, search), generation)
    assert made is not None
    return made


def reader(branches: Scope = scope.ALL) -> Identity:
    return Identity(1, "Mei", "mei", ("manager",), frozenset({"board.calls", "export"}), branches, 1, "en", "light")


def drawn(generation: Generation, search: str = "", branches: Scope = scope.ALL) -> str:
    app = Flask("t")
    Babel(app, default_locale="en", locale_selector=lambda: "en")
    with app.test_request_context():
        return str(board.page(state(generation, search), generation, reader(branches)))


def opened(generation: Generation, search: str = "", branches: Scope = scope.ALL) -> openpyxl.Workbook:
    app, target = Flask("t"), io.BytesIO()
    Babel(app, default_locale="en", locale_selector=lambda: "en")
    with app.test_request_context():
        excel.workbook(target, state(generation, search), generation, reader(branches))
    target.seek(0)
    return openpyxl.load_workbook(target)


def test_a_half_hour_is_counted_over_the_open_days_of_its_weekday(generation: Generation) -> None:
    view, now = generation.view(scope.ALL), state(generation)
    period = ask.whole_days(now)
    assert period is not None and period.end == AT.date()  # and not the day of the night itself

    rows = ask.arrivals(view, now, period)
    assert list(rows.itertuples(index=False, name=None)) == [
        (0, 18, 2, 8, 4.0, 4.6, 4.8), (0, 19, 2, 1, 0.5, 0.8, 0.9), (1, 18, 1, 2, 2.0, 2.0, 2.0)]


def test_a_day_that_is_not_over_is_none(generation: Generation) -> None:
    today = "?from=2026-11-24&to=2026-11-24"
    assert ask.whole_days(state(generation, today)) is None
    assert "No data in this period" in drawn(generation, today)
    later = ask.whole_days(state(generation, "?from=2026-11-01&to=2027-01-31"))
    assert later is not None and later.end == AT.date()


def test_talk_is_of_answered_calls_and_by_queue(generation: Generation) -> None:
    queues = found(generation).queues
    assert [(queue.label, queue.answered, queue.talk) for queue in queues] == [("Sales", 2, 240.0), ("Support", 8, 120.0)]


def test_who_answered_is_counted_once_a_half_hour_and_averaged_over_the_days(generation: Generation) -> None:
    assert [(slot.weekday, slot.half, slot.there) for slot in found(generation).slots] == [(0, 18, 1.5), (0, 19, 0.0), (1, 18, 0.0)]


def test_the_fields_of_the_address_are_reckoned_with(generation: Generation) -> None:
    plain, more = found(generation), found(generation, "?growth=100&acw=90&basis=p80&target=95&within=10&shrink=50&busy=60")
    assert plain.plan == Plan(80.0, 20.0)
    nine, busy = plain.slots[0], more.slots[0]
    assert (nine.calls, nine.aht, nine.load) == (4.0, 150.0, pytest.approx(1 / 3))
    assert (busy.calls, busy.aht, busy.load) == (pytest.approx(9.2), 210.0, pytest.approx(9.2 * 210 / 1800))
    assert nine.agents == erlang.needed(nine.load, 150, target=0.8, within=20, most=0.85)
    assert busy.agents == erlang.needed(busy.load, 210, target=0.95, within=10, most=0.6)
    assert busy.rota == 2 * busy.agents


def test_a_queue_is_a_team_of_its_own_and_a_branch_sees_its_own(generation: Generation) -> None:
    sales = calls_of(generation, "?drill=queue:pbx1%252Fsales")
    assert sales == [(1, 18, 2)]
    suzhou = generation.rows("select branch_id from mart.dim_branch where branch_code = 'SZ'").rows[0][0]
    assert calls_of(generation, "", generation.view(Scope((suzhou,)))) == [(1, 18, 2)]
    assert calls_of(generation, f"?branch={suzhou}") == [(1, 18, 2)]
    assert board.reckoned(generation.view(scope.NONE), state(generation), generation) is None


def calls_of(generation: Generation, search: str, view: View | None = None) -> list[tuple[int, int, int]]:
    return [(slot.weekday, slot.half, slot.taken) for slot in found(generation, search, view).slots]


def test_a_cell_opens_exactly_its_calls(generation: Generation) -> None:
    made, now = found(generation), state(generation)
    view = generation.view(scope.ALL)
    for slot in made.slots:
        address = urlsplit(charts.behind(now, slot, made.period))
        assert address.path == "/dashboards/calls"
        assert len(calls.everything(view, parse("calls", address.query, generation.run))) == slot.taken


def test_the_half_hour_that_is_looked_at_is_the_busiest_or_the_chosen_one(generation: Generation) -> None:
    assert [(at.weekday, at.half) for search in ("", "?drill=weekday:1", "?drill=weekday:0,half:19", "?drill=weekday:6,half:3")
            for at in [found(generation, search).at]] == [(0, 18), (1, 18), (0, 19), (0, 18)]


def test_what_cannot_be_read_is_told_under_its_field_and_kept(generation: Generation) -> None:
    shown = drawn(generation, "?target=100&growth=much&acw=45")
    assert "From 1 to 99.9; reckoned with 80." in shown and "From −90 to 1000; reckoned with 0." in shown
    assert "value='much'" in shown and "value='100'" in shown and shown.count("role='alert'") == 2


@pytest.mark.parametrize(("text", "read"), [("85", 85.0), (" 85.5% ", 85.5), ("0", None), ("99.95", None), ("nan", None), ("1e1", None), ("８５", 85.0), ("", None), ("-5", None)])
def test_a_field_is_a_plain_number_between_its_bounds(generation: Generation, text: str, read: float | None) -> None:
    supposed = plan.supposed({"target": text}, Policy())
    assert supposed.target == (80.0 if read is None else read)
    assert supposed.refused == (frozenset({"target"}) if read is None and text else frozenset())


def test_only_a_changed_field_changes_the_address(generation: Generation, settings: Settings) -> None:
    archive = Archive(generation.path.parent)
    app = Flask("t")
    with app.test_request_context():
        shown = {name: board.typed(state(generation), board.planned(generation.view(scope.ALL), state(generation), generation), name) for name in plan.FIELDS}
        with pytest.raises(PreventUpdate):
            boards._supposed(archive, "staffing", "?p=90", shown, scope.ALL)
        assert boards._supposed(archive, "staffing", "?p=90", shown | {"acw": "45"}, scope.ALL) == "?p=90&acw=45"
        assert boards._supposed(archive, "staffing", "?p=90&acw=45", shown | {"acw": ""}, scope.ALL) == "?p=90"


def test_the_board_says_its_finding_its_limits_and_has_a_table_for_each_chart(generation: Generation) -> None:
    shown = drawn(generation)
    assert "B('2 agents')" in shown and "at the busiest half hour, Mon 09:00" in shown
    for said in ("Nobody gives up in this model", "Poisson", "One team with one skill", "the line has settled", "1 − C · exp(−(n − a) · T / AHT)"):
        assert said in shown
    assert "id='export'" in shown


def test_unanswered_calls_say_that_nobody_knows_how_long_one_takes(generation: Generation, settings: Settings, clean: db.Database) -> None:
    with db.begin(scope.ALL, clean.app) as work:
        make.call(work, AT - timedelta(days=30), **LOST)
    assert nightly.run(replace(settings, data=generation.path.parents[1]), slot="2026-11-25", at=AT + timedelta(hours=22)).refused is None
    again = Archive(generation.path.parent).generation()
    day = (AT - timedelta(days=30)).date().isoformat()
    shown = drawn(again, f"?from={day}&to={day}")
    assert "No call of these days was answered" in shown and "id='export'" not in shown


def test_the_workbook_has_the_sums_of_the_screen(generation: Generation) -> None:
    made, book = found(generation), opened(generation)
    rows = list(book["Half hours"].iter_rows(min_row=2, values_only=True))
    offered = calls.totals(generation.view(scope.ALL), replace(state(generation), period=made.period)).offered
    assert sum(row[3] for row in rows) == offered == 11
    assert [row[7] for row in rows] == [slot.agents for slot in made.slots]
    assert [row[10] for row in rows] == pytest.approx([slot.team.level for slot in made.slots])
    week = [value for row in book["Agents needed"].iter_rows(min_row=2, min_col=2, values_only=True) for value in row if value is not None]
    cover = {row[0]: row[1] for row in book["Cover"].iter_rows(values_only=True) if row[0]}
    assert sum(week) == sum(row[7] for row in rows) == 2 * cover["Agent hours a week"]
    assert (cover["Target"], cover["Shrinkage"], cover["After-call work, seconds"], cover["Plan for"]) == (0.8, 0.3, 30, "Mean day")
    assert cover["Rows"] == len(rows)


def test_the_workbook_of_nothing_has_its_heads(generation: Generation) -> None:
    book = opened(generation, "?from=2020-01-01&to=2020-01-02")
    assert (book["Half hours"].max_row, book["Agents needed"].max_row) == (1, 1)


def slot(agents: int, mean: float, there: float | None) -> Slot:
    return Slot(0, 20, 13, 100, mean, mean, 180, 1.0, erlang.Staffed(agents, 0.1, 0.9, 5, 0.7), agents, there)


def test_fewer_were_there_only_where_they_would_have_been_seen() -> None:
    assert slot(9, 60, 7.2).short and slot(9, 60, 7.2).gap == pytest.approx(1.79, abs=0.01)
    assert not slot(2, 0.5, 0.4).short  # with half a call a day hardly anybody is seen
    assert not slot(9, 60, 8.4).short and not slot(9, 60, None).short and slot(9, 60, 12).gap == 0


def test_a_queue_that_nobody_answered_is_handled_like_the_others_and_mixed_by_its_calls() -> None:
    supposed = Plan(80, 20, acw=30)
    aht = plan.handled([ask.Handling("a", "A", 30, 100.0, None), ask.Handling("b", "B", 10, 300.0, None), ask.Handling("c", "C", 0, None, None)], supposed)
    assert aht == {"a": 130.0, "b": 330.0, "c": 180.0}
    arrivals = pd.DataFrame([(0, 20, 2, 8, 4.0)], columns=["weekday", "half_hour", "days", "calls", "mean"])
    shares = pd.DataFrame([(0, 20, "a", 6), (0, 20, "b", 2)], columns=["weekday", "half_hour", "queue", "calls"])
    nobody = pd.DataFrame(columns=["weekday", "half_hour", "agents"])
    (one,) = plan.week(arrivals, shares, aht, nobody, supposed)
    assert (one.aht, one.there) == (180.0, None)


def test_the_level_of_the_week_is_weighted_by_calls_and_the_fewest_are_never_less_than_one() -> None:
    few, many = slot(3, 10, None), replace(slot(3, 30, None), team=erlang.Staffed(3, 0.1, 0.7, 5, 0.7))
    assert plan.level([few, many]) == pytest.approx(75.0)
    assert plan.level([]) is None and plan.occupancy([]) is None
    assert plan.other(slot(1, 1, None), Plan(80, 20), -1) is None
