"""Boards and workbooks: only the reader's branches, the same rows on both, and no formula out of a caller's name."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest
from flask import Flask
from flask_babel import Babel

from dashboards import excel, figures, parts, tables, words
from dashboards.pages import calls as calls_board
from dashboards.pages import sla as sla_board
from dashboards.questions import calls, sla
from dashboards.state import State, parse
from etl import nightly
from service.core import db, scope
from service.core.config import Settings
from service.core.identity import Identity
from service.core.scope import Scope
from tests import make
from tests.conftest import AT
from warehouse.read import Archive, Generation

NASTY = '=HYPERLINK("http://x","y")'


@pytest.fixture
def generation(settings: Settings, committed_cast: SimpleNamespace, clean: db.Database, tmp_path: Path) -> Generation:
    """Two branches: three calls and a missed ticket at Pudong, one call at Suzhou."""
    with db.begin(scope.ALL, clean.app) as work:
        make.line(work, committed_cast.pudong, "support")
        make.line(work, committed_cast.suzhou, "sz")
        party = make.party(work, committed_cast.pudong, NASTY)
        make.call(work, AT, caller_name=NASTY)
        make.call(work, AT + timedelta(minutes=1), wait_seconds=40)
        make.call(work, AT + timedelta(minutes=2), disposition="abandoned", wait_seconds=3, talk_seconds=None, agent=None, answered_by=None)
        make.call(work, AT + timedelta(minutes=3), queue="sz", agent=None, answered_by=None)
        make.ticket(work, party, committed_cast.ada, AT - timedelta(days=20), priority="urgent")
        make.ticket(work, party, committed_cast.ada, AT + timedelta(hours=20), subject="=1+1")
    own = replace(settings, data=tmp_path)
    assert nightly.run(own, slot="2026-11-24", at=AT + timedelta(hours=21)).refused is None
    return Archive(own.warehouse_dir).generation()


def state(generation: Generation, board: str, search: str = "") -> State:
    return parse(board, search, generation.run)


def reader(branches: Scope, *more: str) -> Identity:
    return Identity(1, "Mei", "mei", ("manager",), frozenset({"board.calls", "board.sla", "export", "ledger.read", *more}), branches, 1, "en", "light")


def branch_of(generation: Generation, code: str) -> int:
    row = generation.rows("select branch_id from mart.dim_branch where branch_code = $code", {"code": code})
    return int(row.rows[0][0])


def opened(generation: Generation, board: str, search: str, branches: Scope, *more: str) -> openpyxl.Workbook:
    app, target = Flask("t"), io.BytesIO()
    Babel(app, default_locale="en", locale_selector=lambda: "en")
    with app.test_request_context():
        excel.workbook(target, state(generation, board, search), generation, reader(branches, *more))
    target.seek(0)
    return openpyxl.load_workbook(target)


def test_service_level_leaves_short_abandons_out(generation: Generation) -> None:
    found = calls.totals(generation.view(Scope((branch_of(generation, "PD"),))), state(generation, "calls"))

    assert (found.offered, found.answered, found.abandoned, found.short, found.within) == (3, 2, 1, 1, 1)
    assert found.level == 50.0


@pytest.mark.parametrize("board", ["calls", "sla"])
def test_a_reader_sees_own_branches_only_on_screen_and_in_the_workbook(generation: Generation, board: str) -> None:
    suzhou = Scope((branch_of(generation, "SZ"),))
    ask = {"calls": calls, "sla": sla}[board]
    everyone, own = (len(ask.everything(generation.view(who), state(generation, board))) for who in (scope.ALL, suzhou))

    assert (everyone, own) == ((4, 1) if board == "calls" else (2, 0))
    book = opened(generation, board, f"?branch={branch_of(generation, 'PD')}", suzhou)  # asked for by hand, and still not given
    assert book.worksheets[1].max_row == 1
    assert ask.everything(generation.view(scope.NONE), state(generation, board)).empty


def test_a_reader_sees_no_customer_or_ticket_of_a_branch_out_of_scope(
        settings: Settings, committed_cast: SimpleNamespace, clean: db.Database, tmp_path: Path) -> None:
    """A customer of Pudong rings Suzhou, and a ticket of Pudong comes of it."""
    with db.begin(scope.ALL, clean.app) as work:
        make.line(work, committed_cast.suzhou, "sz")
        party = make.party(work, committed_cast.pudong, "浦东机密客户")
        make.phone(work, party, "13800001001")
        make.call(work, AT, queue="sz", agent=None, answered_by=None, disposition="abandoned", talk_seconds=None)
    own = replace(settings, data=tmp_path)
    assert nightly.run(own, slot="2026-11-24", at=AT + timedelta(hours=21)).refused is None
    generation = Archive(own.warehouse_dir).generation()

    suzhou = Scope((branch_of(generation, "SZ"),))
    whole, narrow = (calls.everything(generation.view(who), state(generation, "calls")) for who in (scope.ALL, suzhou))
    assert (list(whole.party_name), len(narrow)) == (["浦东机密客户"], 1)
    assert narrow.party_name.isna().all()
    assert "浦东机密客户" not in str([[cell.value for cell in row] for sheet in opened(generation, "calls", "", suzhou) for row in sheet])


@pytest.mark.parametrize(("more", "whole"), [((), False), (("phone.read",), True)])
def test_callers_numbers_are_covered_on_screen_and_in_the_workbook(more: tuple[str, ...], whole: bool, generation: Generation) -> None:
    view, asked = generation.view(scope.ALL), state(generation, "calls")
    app = Flask("t")
    Babel(app, default_locale="en", locale_selector=lambda: "en")
    with app.test_request_context():
        screen = str(tables.calls(asked, calls.page(view, asked), 4, reader(scope.ALL, *more)))
    book = str([cell.value for row in opened(generation, "calls", "", scope.ALL, *more)["Calls"] for cell in row])

    for content in (screen, book):
        assert ("13800001001" in content, "138****1001" in content) == (whole, not whole)


def test_a_question_cannot_reach_past_the_scope(generation: Generation) -> None:
    with pytest.raises(AssertionError):
        generation.view(scope.NONE).ask("select * from mart.fact_call")


def test_the_workbook_has_the_rows_of_the_screen_and_proves_them(generation: Generation) -> None:
    book = opened(generation, "calls", "", scope.ALL)
    screen = calls.page(generation.view(scope.ALL), state(generation, "calls"))

    sheet = book["Calls"]
    assert [row[9].value for row in sheet.iter_rows(min_row=2)] == list(screen.call_id)
    assert [row[6].value for row in sheet.iter_rows(min_row=2)] == [float(wait) for wait in screen.wait_seconds]
    cover = [[cell.value for cell in row] for row in book["Cover"].iter_rows()]
    assert ["Generation", 1] in [row[:2] for row in cover]
    totals = [row for row in cover if row[3] == "yes"]
    assert len(totals) == len(generation.controls) and all(row[1] == row[2] for row in totals)


def test_what_the_whole_firm_sums_up_to_is_for_those_who_see_all_of_it(generation: Generation) -> None:
    book = opened(generation, "calls", "", Scope((branch_of(generation, "PD"),)))

    totals = [[cell.value for cell in row] for row in book["Cover"].iter_rows() if row[3].value == "yes"]
    assert len(totals) == len(generation.controls)
    assert {value for _name, *values, _equal in totals for value in values} == {words.NOTHING}
    assert str(parts.reconciliation(generation, reader(scope.ALL))).count("receivable") == 1


@pytest.mark.parametrize("search", ["?from=0001-01-01&to=2026-11-24", "?from=0026-11-01&to=2026-11-24", "?from=9999-12-31&to=9999-12-31"])
def test_a_year_half_typed_is_no_year(generation: Generation, search: str) -> None:
    shown = state(generation, "calls", search)
    assert shown.preset == "30" and shown.compared


def test_text_of_strangers_never_becomes_a_formula(generation: Generation) -> None:
    for board in ("calls", "sla"):
        for sheet in opened(generation, board, "", scope.ALL).worksheets:
            assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    values = [cell.value for row in opened(generation, "calls", "", scope.ALL)["Calls"].iter_rows() for cell in row]
    assert NASTY in values


def test_promises_are_met_missed_or_pending(generation: Generation) -> None:
    found = sla.totals(generation.view(scope.ALL), state(generation, "sla"))

    assert (found.met, found.missed, found.pending, found.rate) == (0, 1, 1, 0.0)


def test_an_address_that_cannot_be_read_is_an_address_without_filters(generation: Generation) -> None:
    plain = state(generation, "calls")
    odd = state(generation, "calls", "?p=x&from=1&branch=-1&before=²&drill=queue,evil:1,hour:x&cmp=;--")

    assert odd.period == plain.period and odd.drill == () and odd.branch is None and odd.before is None


def test_filters_are_bound_and_quoted(generation: Generation) -> None:
    first = state(generation, "calls")
    address = first.with_drill(queue="a,b:'; drop table x")
    again = parse("calls", address.partition("?")[2], generation.run)

    assert again.drill == (("queue", "a,b:'; drop table x"),)
    assert calls.everything(generation.view(scope.ALL), again).empty


def test_charts_are_never_shared_with_a_stranger() -> None:
    chart = figures.CONFIG
    assert chart["showSendToCloud"] is False and chart["plotlyServerURL"] == "" and chart["displayModeBar"] is False


def test_the_working_day_is_the_same_from_half_hours_and_from_calls(generation: Generation) -> None:
    view, plain = generation.view(scope.ALL), state(generation, "calls")
    halves = calls.by_half_hour(view, plain)
    by_call = calls.by_half_hour(view, replace(plain, drill=(("outcome", "within"),)))

    assert list(halves.itertuples(index=False, name=None)) == [(18, 4, 3, 1, 1, 2, 2, 3, 1)]
    assert list(by_call.itertuples(index=False, name=None)) == [(18, 2, 2, 0, 0, 2, 2, 2, 1)]


def test_the_worst_branch_has_the_lowest_rate_not_the_most_tickets() -> None:
    columns = ["branch_name", "branch_name_en", "met", "missed"]
    branches = pd.DataFrame([("浦东", "Pudong", 900, 60), ("苏州", "Suzhou", 80, 20), ("昆山", "Kunshan", 0, 1)], columns=columns)
    app = Flask("t")
    Babel(app, default_locale="en", locale_selector=lambda: "en")
    with app.test_request_context():
        worst = sla_board._worst(branches, pd.DataFrame())
    assert worst is not None and (worst.name, worst.rate, worst.missed, worst.decided) == ("Suzhou", 80.0, 20, 100)


def test_hours_with_few_calls_are_hatched_and_a_period_without_a_past_says_so(generation: Generation) -> None:
    app = Flask("t")
    Babel(app, default_locale="en", locale_selector=lambda: "en")
    with app.test_request_context():
        shown = str(calls_board.page(state(generation, "calls"), generation, reader(scope.ALL)))
    assert "fewer than 10 calls" in shown and "'type': 'path'" in shown
    assert "no data in the compared period" in shown and "from 0" not in shown
