"""Pages and their forms as a browser sees them: every address of the route table, every form of every page."""

import inspect
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter

from service.core.lists.spec import KNOWN
from tests.attack.world import Side, routes

PAGE = {"Accept": "text/html"}
SERVICE = Path(__file__).parents[2] / "service"
# Words for the parts of an address that are no numbers; those that are listed are all asked for.
WORDS: dict[str, tuple[str, ...]] = {
    "kind": ("contact", "phone"), "what": ("join", "differ", "part"), "verb": ("take", "close", "reopen"), "how": ("replace", "start", "remove"),
    "board": ("calls",), "path": ("calls",), "action": ("assign",),
}  # fmt: skip
# What a field takes that takes neither words nor a day.
TYPED = {
    "latitude": "31.2", "longitude": "121.4", "phone": "13800003002", "number": "13800003002", "amount": "10.00", "new_phone": "13800003003", "every": "3",
    "notice_days": "1", "original_reading": "1", "current_reading": "2", "web": "", "email": "", "fax": "", "credit_limit": "", "tax_number": "", "code": "",
    "version": "1", "device": "",
}  # fmt: skip
LISTED = ("customers", "devices", "tickets", "calls")


@dataclass
class Form:
    """A form of a page: where it goes and what it would send as it stands."""

    action: str
    page: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    blank: list[str] = field(default_factory=list)

    def filled(self, word: str = "9", **instead: str) -> list[tuple[str, str]]:
        """Every field with a value: what stood there, else the word; `instead` by name."""
        return [(name, instead.get(name, value or ("" if name in self.choices else TYPED.get(name, word)))) for name, value in self.fields]

    @property
    def key(self) -> str:
        """The same for forms that differ in their numbers alone."""
        names = ",".join(sorted({re.sub(r"\d+|n[0-9a-f]{8}", "N", name) for name, _value in self.fields}))
        return f"{re.sub(r'[0-9]+', 'N', self.action)} {names}"


class Reader(HTMLParser):
    """Gathers the forms of a page that are sent by POST."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms = page, list[Form]()
        self.by_id: dict[str, Form] = {}
        self.open: Form | None = None
        self.select = self.area = ""
        self.owner: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        sends = said.get("hx-post") or (said.get("action", self.page) if said.get("method", "").lower() == "post" else "")
        if tag == "form":
            self.open = Form(urljoin(self.page, sends), self.page) if sends else None
            if self.open:
                self.forms.append(self.open)
                self.by_id[said.get("id", "")] = self.open
        elif said.get("hx-post"):
            self.forms.append(Form(urljoin(self.page, said["hx-post"]), self.page))
        owner = self.by_id.get(said["form"]) if said.get("form") else self.open
        name = said.get("name", "")
        if said.get("formaction") and owner:
            self.forms.append(Form(urljoin(self.page, said["formaction"]), self.page, owner.fields, owner.choices))
        if tag == "option" and self.owner and self.select:
            self.owner.choices[self.select].append(said.get("value", ""))
        if not owner or not name:
            return
        if tag == "select":
            self.select, self.owner = name, owner
            owner.choices[name] = []
        elif tag == "textarea":
            self.area, self.owner = name, owner
            owner.fields.append((name, ""))
        elif tag == "input" and said.get("type") in ("radio", "checkbox"):
            if said.get("type") == "checkbox" or "checked" in said or name not in {n for n, _v in owner.fields}:
                owner.fields.append((name, said.get("value", "on")))
        elif tag in ("input", "button") and said.get("type") != "file":
            owner.fields.append((name, said.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self.area and self.owner:
            name, value = self.owner.fields[-1]
            self.owner.fields[-1] = (name, value + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "select" and self.owner and self.select:
            options = self.owner.choices[self.select]
            self.owner.fields.append((self.select, next((one for one in options if one), "")))
            self.select = ""
        elif tag == "textarea":
            self.area = ""


def words(answer: Any) -> str:
    """What the answer says; a workbook says what its parts say."""
    if answer.data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
            return " ".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return str(answer.data.decode("utf-8", "replace"))


def addresses(app: Flask, side: Side, method: str) -> Iterator[tuple[Any, str]]:
    """(rule, address) of every route of the method, about the things of that side."""
    with app.test_request_context():
        for one, rule in routes(app):
            if one == method:
                for known in _known(rule, side):
                    yield rule, app.url_for(rule.endpoint, **known)


def _known(rule: Any, side: Side) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{}]
    for name in sorted(rule.arguments):
        values: list[Any] = [side.meant(name) or 1]
        converter = rule._converters[name]
        if isinstance(converter, AnyConverter):
            values = [one.replace("\\", "") for one in converter.regex.removeprefix("(?:").removesuffix(")").split("|")]
        elif name in WORDS:
            values = list(WORDS[name])
        elif name == "name":
            values = ["parties"] if "imports" in rule.rule else list(LISTED)
        elif name == "code":
            values = [side.code]
        found = [one | {name: value} for one in found for value in values]
    return found


def forms(app: Flask, side: Side, *browsers: FlaskClient, led: bool = False) -> list[Form]:
    """Every form of every page that these browsers may open, once each; with `led` also as it is where a link led there from something."""
    found: dict[str, Form] = {}
    for browser in browsers:
        for rule, path in addresses(app, side, "GET"):
            if path.startswith(("/dashboards", "/sign-in", "/setup")):
                continue
            named = {name: side.meant(name) for name in sorted(read_by(app, rule)) if side.meant(name)} if led else {}
            for page in (path, f"{path}?{urlencode(named)}") if named else (path,):
                answer = browser.get(page, headers=PAGE)
                if answer.mimetype == "text/html" and answer.status_code == 200:
                    for form in read(page, answer.text):
                        found.setdefault(form.key, form)
    return list(found.values())


def read(page: str, html: str) -> list[Form]:
    """The forms of the page that are sent by POST, except the sign-out and what changes the page's looks."""
    reader = Reader(page)
    reader.feed(html)
    return [form for form in reader.forms if urlsplit(form.action).path not in ("/sign-out", "/settings/locale", "/settings/theme")]


def again(browser: FlaskClient, form: Form) -> Form:
    """The same form as its page shows it now; the one that was there where the page shows it no longer."""
    answer = browser.get(form.page, headers=PAGE)
    return next((one for one in read(form.page, answer.text) if one.key == form.key), form) if answer.status_code == 200 else form


def names_in(sources: Iterable[Path]) -> set[str]:
    """Every name that these files read from an address or a form."""
    names: set[str] = set()
    for path in sources:
        source = path.read_text("utf-8")
        names |= set(re.findall(r"(?:args|form|values|chosen|said)\.(?:get|getlist)\(\s*\"([a-z_]+)\"", source))
        names |= set(re.findall(r"\b(?:number|_number|day|_day|text|place|_place|_id|reading|_yes_or_no|whole|words)\(\"([a-z_]+)\"", source))
        names |= set(re.findall(r"Filter\(\s*\"([a-z_]+)\"", source))
    return names


@cache
def parameters() -> tuple[str, ...]:
    """Every name that some page reads."""
    return tuple(sorted(names_in(SERVICE.rglob("*.py"))))


def read_by(app: Flask, rule: Any) -> set[str]:
    """The names that the page's own folder reads; an export reads those of every list."""
    place = Path(inspect.getfile(inspect.unwrap(app.view_functions[rule.endpoint]))).parent
    if place == SERVICE / "core" / "lists":
        return {one.key for spec in KNOWN.values() for one in spec.filters}
    return set() if place.name == "dashboards" or SERVICE not in place.parents else _names_of(place)


@cache
def _names_of(place: Path) -> set[str]:
    return names_in(place.glob("*.py"))
