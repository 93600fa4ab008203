"""Whatever is typed into an address or a form, the answer is never a fault: signs that mean something to SQL, halves of letters, numbers that no column holds."""

import random
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient

from tests.attack import pages, world
from tests.attack.pages import PAGE
from tests.attack.test_foreign_ids import multi
from tests.signin import people

STRANGE = (
    "%", "_", "\\", "'", "';--", '"', "%%_%", "\x00", "a\x00b", "-1", "0", "1e9", "9" * 18, "9" * 19, "9" * 40, "９", "²", "NaN", "Infinity", "-Infinity", "1.5",
    "x" * 5000, "名" * 300, "😀" * 120, "\u202egnp.exe", "مرحبا", "\r\nX: y", "true", "null", "[]", "{}", "0001-01-01", "9999-12-31", "2026-02-30", "2026-13-01",
    "2026-11-26T00:00:00+99:00", "role:admin", "branch", ":", ",", ",,,", "a" * 400 + "%", "&", "(", "!", "<->", "a & | b", "../../etc/passwd", "W10", "e30", "WyJ4IiwxXQ",
)  # fmt: skip
RAW = ("%ff%fe", "%ed%a0%80", "%00", "%c0%af", "a&b", "+")  # as they travel; a half letter, an overlong slash


def lines(rule: Any, path: str, names: list[str], picked: random.Random) -> list[str]:
    """One address with everything strange at once is refused at the first name, so each name has its turn."""
    plain = [f"{path}?{name}={quote(picked.choice(STRANGE))}" for name in names]
    raw = [f"{path}?{name}={picked.choice(RAW)}" for name in names]
    twice = [f"{path}?{name}=1&{name}={quote(picked.choice(STRANGE))}" for name in names[:2]]
    return [*plain, *raw, *twice, f"{path}?" + "&".join(f"{name}={quote(picked.choice(STRANGE))}" for name in names)]


def test_no_address_is_a_fault(app: Flask, two: SimpleNamespace, eve: FlaskClient) -> None:
    picked, found, sent = random.Random(20261126), {}, 0
    for rule, path in pages.addresses(app, two.mine, "GET"):
        names = sorted(pages.read_by(app, rule))
        names = picked.sample(names, min(len(names), 5))
        for address in lines(rule, path, names, picked) if names else [f"{path}?x=%ff"]:
            answer, sent = eve.get(address, headers=PAGE), sent + 1
            if answer.status_code >= 500:
                found[address[:200]] = answer.status_code
    assert sent > 500
    world.nothing(found)


def test_no_number_in_a_path_is_a_fault(app: Flask, two: SimpleNamespace, eve: FlaskClient) -> None:
    found, mark = {}, people.token(eve, "/tickets")
    for method in ("GET", "POST"):
        for rule, path in pages.addresses(app, two.mine, method):
            numbers = [name for name in rule.arguments if str(two.mine.meant(name) or 1) in path and not name.isupper()]
            for huge in ("0", "9" * 19, "9" * 40) if numbers else ():
                address = "/".join(huge if part.isdigit() else part for part in path.split("/"))
                answer = eve.open(address, method=method, data={"csrf_token": mark} if method == "POST" else None, headers=PAGE)
                if answer.status_code >= 500:
                    found[method, address] = answer.status_code
    world.nothing(found)


def test_no_form_is_a_fault(app: Flask, two: SimpleNamespace, eve: FlaskClient, eva: FlaskClient) -> None:
    picked, found = random.Random(4), {}
    for browser in (eva, eve):  # she signs people out
        mark = people.token(browser, "/tickets")
        for form in pages.forms(app, two.mine, browser):
            if form.action.startswith("/settings/password"):
                continue
            names = [name for name, _value in form.fields]
            once = [{name: picked.choice(STRANGE)} for name in picked.sample(names, min(len(names), 3))]
            for strange in [*once, {name: picked.choice(STRANGE) for name in names}]:
                answer = browser.post(form.action, data=multi([*form.filled("2026-11-26"), ("csrf_token", mark)], strange), headers=PAGE)
                if answer.status_code >= 500:
                    found[form.action, str(strange)[:200]] = answer.status_code
    world.nothing(found)


def test_a_sign_of_sql_is_only_itself(two: SimpleNamespace, eve: FlaskClient) -> None:
    """% and _ find what has them, not everything."""
    for typed in ("%", "_", "%%", "\\", "' or 1=1 --"):
        for path in ("/customers", "/devices", "/tickets", "/sites", "/sites/projects", "/maintenance/plans"):
            answer = eve.get(path, query_string={"q": typed} | ({"view": "all"} if path == "/tickets" else {}), headers=PAGE)
            assert answer.status_code == 200, (path, typed)
            assert "苏州客户" not in answer.text and "苏州工程" not in answer.text and "苏州安装点" not in answer.text, (path, typed)
