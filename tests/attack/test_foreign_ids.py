"""IDOR: who may do everything in one branch asks for the numbers of another, in addresses and in forms."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from service.core import db
from tests.attack import pages, world
from tests.attack.pages import PAGE
from tests.attack.world import FIRMS, SECRET, Side
from tests.signin import people

# Parts of a page that say nothing of what is not there, instead of refusing.
EMPTY = {"/sites/of-device/<int:device_id>", "/tickets/of-call/<int:call_id>"}
# A body that lets the request get as far as the look at its number.
BODY = {
    "version": "1", "name": "x", "note": "x", "reason": "x", "result": "x", "findings": "x", "content": "x", "timing": "interval", "every": "1",
    "starts_on": "2026-11-26", "state": "active", "new_contact": "x", "subject": "x", "choice": "ready", "key": "k", "number": "13800000000",
    "upon": "skip", "latitude": "1", "longitude": "1", "device": "x", "place": "x", "serial": "x", "retired_on": "2026-11-26", "fate": "normal",
    "field": "card", "query": "", "roles": "customer", "category_id": "1",
}  # fmt: skip


def foreign_routes(app: Flask, side: Side, method: str) -> list[tuple[str, str]]:
    """(rule, address) of each route that names something of a branch."""
    return [
        (rule.rule, path) for rule, path in pages.addresses(app, side, method)
        if any(side.meant(name) and name not in FIRMS for name in rule.arguments) or "code" in rule.arguments
    ]  # fmt: skip


def told(answer: Any) -> tuple[int, bool]:
    return answer.status_code, SECRET in pages.words(answer)


def test_no_page_of_another_branch_opens(app: Flask, two: SimpleNamespace, eve: FlaskClient) -> None:
    heard = {(rule, path): told(eve.get(path, headers=PAGE)) for rule, path in foreign_routes(app, two.foreign, "GET")}
    assert len(heard) > 25
    world.nothing({k: v for k, v in heard.items() if v != (404, False) and not (k[0] in EMPTY and v == (200, False))})


def test_the_same_pages_open_at_home(app: Flask, two: SimpleNamespace, eve: FlaskClient, eva: FlaskClient) -> None:
    def opens(path: str) -> bool:
        return any(browser.get(path, headers=PAGE).status_code in (200, 302) for browser in (eve, eva))

    world.nothing([path for _rule, path in foreign_routes(app, two.mine, "GET") if not opens(path)])


def test_no_act_upon_another_branch_is_done(app: Flask, two: SimpleNamespace, eve: FlaskClient, clean: db.Database) -> None:
    mark, before = people.token(eve, "/tickets"), world.print_of(clean, two.foreign.branch.id)
    body = BODY | {"csrf_token": mark, "into": str(two.mine.ids["party"]), "staff_id": str(two.mine.agent.id)}
    heard = {}
    for rule, path in foreign_routes(app, two.foreign, "POST"):
        choice = {"choice": str(two.mine.ids["party"])} if "pops" in path else {}
        heard[rule, path] = told(eve.post(path, data=body | choice, headers=PAGE))
    assert len(heard) > 60
    world.nothing({k: v for k, v in heard.items() if v not in ((404, False), (403, False))})
    world.nothing(changed(before, world.print_of(clean, two.foreign.branch.id)))


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_no_address_leads_to_what_is_foreign(app: Flask, two: SimpleNamespace, eve: FlaskClient) -> None:
    """Numbers behind the question mark: one by one, and all at once."""
    found, sent = {}, 0
    for rule, path in pages.addresses(app, two.mine, "GET"):
        named = {name: str(two.foreign.meant(name)) for name in pages.read_by(app, rule) if two.foreign.meant(name)}
        for asked in [named, *({name: value} for name, value in named.items())] if named else []:
            answer, sent = eve.get(path, query_string=asked, headers=PAGE), sent + 1
            if SECRET in pages.words(answer) or answer.status_code >= 500:
                found[path, tuple(asked)] = answer.status_code
    assert sent > 100
    world.nothing(found)


def test_no_search_finds_what_is_foreign(app: Flask, two: SimpleNamespace, eve: FlaskClient) -> None:
    """What only foreign rows have, typed wherever something can be typed; a page may repeat it, but not go on as the row does."""
    betray, found = tuple(f"{SECRET}{word}" for word in ("客户", "人", "工程", "安装点", "机", "部件", ".csv")), {}
    for typed in (SECRET[:4], two.foreign.texts["serial"], "13800001001"):
        for rule, path in pages.addresses(app, two.mine, "GET"):
            asked = {name: typed for name in ("q", "serial", "code", "name", "phone") if name in pages.read_by(app, rule)}
            answer = eve.get(path, query_string=asked, headers=PAGE) if asked else None
            if answer and (any(word in pages.words(answer) for word in betray) or answer.status_code >= 500):
                found[path, typed] = answer.status_code
    world.nothing(found)


def test_no_form_takes_a_foreign_number(app: Flask, two: SimpleNamespace, eve: FlaskClient, eva: FlaskClient, clean: db.Database) -> None:
    """Every form of every page of mine, sent with foreign numbers: one by one, and all at once."""
    before = world.print_of(clean, two.foreign.branch.id)
    world.nothing(world.crossing(clean))
    faults, sent, every = {}, 0, _foreign(two, pages.parameters())
    for browser in (eva, eve):  # she signs people out
        mark = people.token(browser, "/tickets")
        for form in pages.forms(app, two.mine, browser, led=True):
            shown = dict(form.fields)
            own = {name: value for name, value in every.items() if name in shown}
            now = form  # what was taken has another version then
            for instead in [*({name: value} for name, value in own.items()), *((own, every) if own else (every,))]:
                body = multi([*now.filled("2026-11-26"), ("csrf_token", mark)], {**instead, "id": _rows(form, two)} if "id" in shown else instead)
                answer = browser.post(form.action, data=body, headers=PAGE)
                sent += 1
                if answer.status_code >= 500 or SECRET in pages.words(answer):
                    faults[form.action, tuple(instead)] = answer.status_code
                if answer.status_code < 400:
                    if crossed := world.crossing(clean):
                        faults[form.action, tuple(instead)] = str(crossed)
                        world.uncrossed(clean, crossed)
                    now = pages.again(browser, form)
    assert sent > 300
    world.nothing(faults)
    world.nothing(changed(before, world.print_of(clean, two.foreign.branch.id)))


def _foreign(two: SimpleNamespace, names: Iterable[str]) -> dict[str, Any]:
    """What those of the names that mean something of a branch mean in the other one."""
    return {name: value for name in sorted(names) if name not in FIRMS and (value := two.foreign.meant(name))}


def _rows(form: pages.Form, two: SimpleNamespace) -> int:
    """The foreign row that a bulk action of this page is about."""
    known = {"customers": "party", "devices": "device", "tickets": "ticket", "visits": "maintenance_reminder", "maintenance": "maintenance_reminder"}
    return int(two.foreign.ids[next((table for word, table in known.items() if word in form.action), "party")])


def multi(fields: list[tuple[str, str]], instead: dict[str, Any]) -> dict[str, list[str]]:
    """The fields as they are sent, repeated names and all."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found | {name: [str(value)] for name, value in instead.items()}
