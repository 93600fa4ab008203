"""Workbooks: the same rows as the screen, with a cover that proves them. Flat memory; strings stay strings."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import IO, Any

from flask_babel import gettext as _

from dashboards import parts, plan, words
from dashboards.pages import staffing
from dashboards.pages.calls import policies_of
from dashboards.plan import Plan
from dashboards.questions import calls, handling, sla
from dashboards.state import State
from service.core import kpi_words as told
from service.core import masking
from service.core.identity import Identity
from service.core.kpi import AgentTime, Policy, Recovery, of_day
from service.core.kpi_words import Told
from service.core.sheet import Book, Column
from warehouse.read import Generation, View

Figure = tuple[str, Any, str, str]  # name, value, kind of cell, formula


def workbook(target: IO[bytes], state: State, generation: Generation, person: Identity) -> None:
    """The board's workbook: a cover, then its sheets, all from one generation and the reader's branches."""
    view = generation.view(person.scope)
    book = Book(target)
    {"calls": _calls, "sla": _sla, "staffing": _staffing}[state.board](book, view, state, generation, person)
    book.close()


def _calls(book: Book, view: View, state: State, generation: Generation, person: Identity) -> None:
    rows, now, queues = calls.everything(view, state), calls.totals(view, state), calls.by_queue(view, state)
    policies = policies_of(state, generation)
    formulas = [f"{one.version} ({one.valid_from}): {_('Service level')} = {told.formula(one)}" for one in policies]
    book.lines(_("Cover"), cover(state, view, generation, person, _("Calls and service level"), call_figures(view, state, policies, now), formulas, len(rows),
                                 told.named(policies)), (34, 30, 60, 12))
    book.sheet(_("Calls"), call_columns(person), rows.itertuples())
    book.sheet(_("By queue"), queue_columns(), queues.itertuples())
    book.sheet(_("By half hour"), half_columns(), calls.by_half_hour(view, state).itertuples())


def call_figures(view: View, state: State, policies: tuple[Policy, ...], now: calls.Totals) -> list[Figure]:
    """The key figures of the board, each with its formula and numbers."""
    time = handling.agent_time(view, state) or AgentTime()
    missed = handling.recovery(view, state) or Recovery()

    def share(name: str, value: float | None, one: Told) -> Figure:
        return name, None if value is None else value / 100, "percent", " · ".join(filter(None, (one.formula, one.numbers)))
    return [
        (_("Offered"), now.offered, "whole", told.offered().formula), (_("Answered"), now.answered, "whole", ""), (_("Abandoned"), now.abandoned, "whole", ""),
        (_("Short abandon"), now.short, "whole", ""), (_("In time"), now.within, "whole", ""),
        share(_("Service level"), now.level, told.level(policies, now)), share(_("Answer rate"), now.answer_rate, told.answer_rate(now)),
        share(_("Abandonment rate"), now.abandonment, told.abandonment(policies, now)),
        (_("Mean time to answer, seconds"), now.speed, "seconds", told.speed(now).formula),
        (_("Wait p50, seconds"), now.p50, "seconds", ""), (_("Wait p90, seconds"), now.p90, "seconds", ""),
        (_("Mean handle time, seconds"), now.handle_time, "seconds", told.handle_time(now).formula),
        (_("Mean after-call work, seconds"), now.wrap_mean, "seconds", ""),
        share(_("Occupancy"), time.occupancy, told.occupancy(policies, time)), share(_("Transfer rate"), now.transfer_rate, told.transfer_rate(now)),
        share(_("First contact"), now.first_contact, told.first_contact(policies, now)),
        share(_("Missed, then spoken with"), missed.rate, told.recovery(policies, missed)),
    ]


def _sla(book: Book, view: View, state: State, generation: Generation, person: Identity) -> None:
    rows, now = sla.everything(view, state), sla.totals(view, state)
    figures: list[Figure] = [(_("Met"), now.met, "whole", ""), (_("Missed"), now.missed, "whole", ""), (_("Still open"), now.pending, "whole", ""),
                             (_("Compliance"), None if now.rate is None else now.rate / 100, "percent", "")]
    book.lines(_("Cover"), cover(state, view, generation, person, _("SLA compliance"), figures, [_("Compliance = met / (met + missed)")], len(rows),
                                 generation.run.policy_version), (34, 30, 30, 12))
    book.sheet(_("Tickets"), ticket_columns(), rows.itertuples())
    for name, found, first in ((_("By month"), sla.by_month(view, state), Column(_("Month"), "day", lambda row: row.month)),
                               (_("By priority"), sla.by_priority(view, state), Column(_("Priority"), "text", lambda row: words.priority(row.priority))),
                               (_("By branch"), sla.by_branch(view, state), Column(_("Branch"), "text", lambda row: words.branch(row.branch_name, row.branch_name_en)))):
        book.sheet(name, [first, *promise_columns()], found.itertuples())


def _staffing(book: Book, view: View, state: State, generation: Generation, person: Identity) -> None:
    found = staffing.reckoned(view, state, generation)
    supposed = found.plan if found else staffing.planned(view, state, generation)
    slots, asked = (found.slots, replace(state, period=found.period)) if found else ([], state)
    level, busy = plan.level(slots), plan.occupancy(slots)
    figures: list[Figure] = [
        (_("Target"), supposed.target / 100, "percent", ""), (_("Within, seconds"), supposed.within, "seconds", ""), (_("Maximum occupancy"), supposed.busy / 100, "percent", ""),
        (_("Shrinkage"), supposed.shrink / 100, "percent", ""), (_("More calls"), supposed.growth / 100, "percent", ""), (_("After-call work, seconds"), supposed.acw, "seconds", ""),
        (_("Plan for"), {"mean": _("Mean day"), "p80": _("Busy day p80"), "p90": _("Very busy day p90")}[supposed.basis], "text", ""),
        (_("Agent hours a week"), sum(slot.agents for slot in slots) / 2, "amount", ""), (_("On the rota, hours"), sum(slot.rota for slot in slots) / 2, "amount", ""),
        (_("Expected service level"), None if level is None else level / 100, "percent", ""), (_("Occupancy"), None if busy is None else busy / 100, "percent", ""),
    ]
    formula = _("Erlang C: service level = 1 − C · exp(−(n − a) · T / AHT), a = calls × AHT / 1800; nobody gives up, Poisson arrivals, one team with one skill")
    rules = told.named((of_day(generation.policies, state.period.end),))
    book.lines(_("Cover"), cover(asked, view, generation, person, _("Staffing"), figures, [formula], len(slots), rules), (34, 30, 30, 12))
    book.sheet(_("Agents needed"), week_columns(), plan.by_half_hour(slots))
    book.sheet(_("Half hours"), slot_columns(supposed), slots)
    book.sheet(_("Handling time"), handling_columns(supposed), found.queues if found else [])


def cover(state: State, view: View, generation: Generation, person: Identity, title: str, figures: Sequence[Figure], formulas: Sequence[str],
          rows: int, rules: str) -> list[list[tuple[Any, str]]]:
    """What was asked, from when it is, and whether it equals its source."""
    run = generation.run
    proof = (_("Equal to the books to the cent"), "bold") if generation.proven else (_("Not equal; see below"), "wrong")
    asked = [(key, "text") for key in (f"{name}: {value}" for name, value in state.drill)]
    lines: list[list[tuple[Any, str]]] = [
        [(title, "title")], [],
        [(_("Period"), "muted"), (state.period.start, "day"), (state.period.end, "day")],
        [(_("Branches"), "muted"), (_branches(state, view), "text")],
        [(_("Filters"), "muted"), *(asked or [(_("none"), "text")])],
        [(_("Generation"), "muted"), (run.generation, "whole")],
        [(_("Data to"), "muted"), (run.as_of_local, "moment")],
        [(_("Rules"), "muted"), (rules, "text")],
        *([(_("Formula"), "muted"), (formula, "text")] for formula in formulas),
        [(_("Rows"), "muted"), (rows, "whole")], [],
        *([(name, "muted"), (value, kind), (formula, "muted")] for name, value, kind, formula in figures), [],
        [proof], [],
        [(head, "head") for head in (_("Control total"), _("Source"), _("Archive"), _("Equal"))],
    ]
    return lines + [[(f"{c.table} · {c.measure}", "text"), (c.source or words.NOTHING, "text"), (c.archive or words.NOTHING, "text"), (_("yes") if c.equal else _("NO"), "text" if c.equal else "wrong")]
                    for c in parts.controls(generation, person)]


def _branches(state: State, view: View) -> str:
    found = [item for item in calls.branches(view) if state.branch in (None, item["branch_id"])]
    return ", ".join(words.branch(item["branch_name"], item["branch_name_en"]) for item in found) or words.NOTHING


def call_columns(person: Identity) -> list[Column]:
    """The calls, as the screen shows them to this person."""
    return [
        Column(_("Time"), "moment", lambda row: row.started_local, 20), Column(_("Queue"), "text", lambda row: row.queue_label),
        Column(_("Number"), "text", lambda row: masking.shown_plain(person, row.caller), 18),
        Column(_("Customer"), "text", lambda row: row.party_name or masking.shown_name(person, row.caller_name), 28),
        Column(_("Outcome"), "text", lambda row: words.outcome(row.outcome)), Column(_("Agent"), "text", lambda row: row.staff_name),
        Column(_("Wait, seconds"), "seconds", lambda row: row.wait_seconds), Column(_("Talk, seconds"), "seconds", lambda row: row.talk_seconds),
        Column(_("Ticket"), "text", lambda row: row.ticket_number, 18), Column(_("Call"), "whole", lambda row: row.call_id),
        Column(_("On hold, seconds"), "seconds", lambda row: row.hold_seconds), Column(_("After-call work, seconds"), "seconds", lambda row: row.acw_seconds),
        Column(_("Policy"), "whole", lambda row: row.policy_version),
    ]


def queue_columns() -> list[Column]:
    """One row a queue."""
    return [
        Column(_("Queue"), "text", lambda row: row.label, 20), Column(_("Offered"), "whole", lambda row: row.offered),
        Column(_("Answered"), "whole", lambda row: row.answered), Column(_("Abandoned"), "whole", lambda row: row.abandoned),
        Column(_("Short abandon"), "whole", lambda row: row.short), Column(_("In time"), "whole", lambda row: row.within),
        Column(_("Service level"), "percent", _level), Column("p50", "seconds", lambda row: row.p50), Column("p90", "seconds", lambda row: row.p90),
    ]


def _level(row: Any) -> float | None:
    found = words.ratio(row.hits, row.counted)
    return None if found is None else found / 100


def half_columns() -> list[Column]:
    """One row a half hour of all workdays."""
    return [
        Column(_("From"), "text", lambda row: words.half_hour(row.half_hour)), Column(_("Workdays"), "whole", lambda row: row.workdays),
        Column(_("Offered"), "whole", lambda row: row.offered), Column(_("Answered"), "whole", lambda row: row.answered),
        Column(_("Abandoned"), "whole", lambda row: row.abandoned), Column(_("In time"), "whole", lambda row: row.within), Column(_("Service level"), "percent", _level),
    ]


def ticket_columns() -> list[Column]:
    """The tickets, as the screen shows them."""
    return [
        Column(_("Ticket"), "text", lambda row: row.ticket_number, 18), Column(_("Registered"), "day", lambda row: row.registered_on),
        Column(_("Subject"), "text", lambda row: row.subject, 36), Column(_("Customer"), "text", lambda row: row.party_name, 28),
        Column(_("Branch"), "text", lambda row: words.branch(row.branch_name, row.branch_name_en)), Column(_("Priority"), "text", lambda row: words.priority(row.priority)),
        Column(_("State"), "text", lambda row: words.state(row.state)), Column(_("Person"), "text", lambda row: row.assignee_name),
        Column(_("Kept"), "text", lambda row: words.promise(row.promise)), Column(_("Took, seconds"), "whole", lambda row: row.used),
        Column(_("Limit, seconds"), "whole", lambda row: row.allowed),
    ]


def promise_columns() -> list[Column]:
    """Met, missed, open and their rate."""
    def rate(row: Any) -> float | None:
        found = words.ratio(row.met, row.met + row.missed)
        return None if found is None else found / 100
    return [Column(_("Met"), "whole", lambda row: row.met), Column(_("Missed"), "whole", lambda row: row.missed),
            Column(_("Still open"), "whole", lambda row: row.pending), Column(_("Compliance"), "percent", rate)]


def week_columns() -> list[Column]:
    """One row a half hour, one column a weekday: the heat map."""
    def of(day: int) -> Callable[[Any], Any]:
        return lambda row: row[1].get(day)
    return [Column(_("From"), "text", lambda row: words.half_hour(row[0])), *(Column(words.weekday(day), "whole", of(day), 8) for day in range(7))]


def slot_columns(supposed: Plan) -> list[Column]:
    """One row a half hour of the week, as the screen shows one weekday."""
    def level(change: int) -> Callable[[Any], Any]:
        return lambda slot: None if (team := plan.other(slot, supposed, change)) is None else team.level
    return [
        Column(_("Weekday"), "text", lambda slot: words.weekday(slot.weekday)), Column(_("From"), "text", lambda slot: words.half_hour(slot.half)),
        Column(_("Open days"), "whole", lambda slot: slot.days), Column(_("Calls of all days"), "whole", lambda slot: slot.taken),
        Column(_("Calls"), "amount", lambda slot: slot.calls), Column(_("AHT, seconds"), "seconds", lambda slot: slot.aht),
        Column(_("Erlang"), "amount", lambda slot: slot.load), Column(_("Agents"), "whole", lambda slot: slot.agents), Column(_("On the rota"), "whole", lambda slot: slot.rota),
        Column(_("Agents seen"), "amount", lambda slot: slot.there), Column(_("Service level"), "percent", lambda slot: slot.team.level),
        Column(_("ASA, seconds"), "seconds", lambda slot: slot.team.asa), Column(_("Occupancy"), "percent", lambda slot: slot.team.occupancy),
        Column(_("One fewer"), "percent", level(-1)), Column(_("One more"), "percent", level(1)),
    ]


def handling_columns(supposed: Plan) -> list[Column]:
    """One row a queue: its talk, and the work after it as supposed."""
    return [
        Column(_("Queue"), "text", lambda row: row.label, 20), Column(_("Answered"), "whole", lambda row: row.answered),
        Column(_("Talk, seconds"), "seconds", lambda row: row.talk), Column(_("After-call work, seconds"), "seconds", lambda _row: supposed.acw, 24),
    ]
