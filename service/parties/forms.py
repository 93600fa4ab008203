"""A party's form: fields by name, rows below it by kind and key. What was typed is kept as it was typed until all of it is right."""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from service.core import asked, masking
from service.core.errors import Invalid
from service.core.masking import Reader
from service.parties import rules
from service.parties.queries import Card
from service.parties.schemas import AccountRow, ContactRow, ContractRow, DepartmentRow, MailRow, PartyDraft, PhoneRow

ROW = re.compile(r"(department|contact|phone|mail|contract|account)-(n?[a-z0-9]{1,18})-([a-z_]{2,12})")
PLAIN = (
    "name", "kind", "grade", "category_id", "vendor_category_id", "tags", "address", "email", "fax", "web", "tax_number", "note",
    "credit_days", "credit_limit", "settlement", "settlement_day", "vendor_days", "preferred", "branch_id",
)  # fmt: skip
MOST_ROWS = 200
ACCOUNT = ("system", "account", "book")
Fields = dict[str, str]
Rows = dict[str, dict[str, Fields]]


@dataclass
class Typed:
    """A form as it stands on the screen; rows by kind, then by key: an id, or n and some letters for a new one."""

    values: Fields = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    rows: Rows = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The value of a field; nothing when it was not sent."""
        return self.values.get(name, "")

    def below(self, kind: str, owner: str = "") -> list[tuple[str, Fields]]:
        """Rows of a kind, for phones and mails those of that contact."""
        rows = self.rows.get(kind, {}).items()
        return [(key, row) for key, row in rows if kind not in ("phone", "mail") or row.get("of", "") == owner]

    def flat(self) -> Fields:
        """Everything by one name each, for comparing two forms."""
        below = {f"{kind}-{key}-{name}": value for kind, rows in self.rows.items() for key, row in rows.items() for name, value in row.items()}
        return {**self.values, "roles": ", ".join(sorted(self.roles)), **below}


def fresh_key() -> str:
    """The key of a row that is not stored yet."""
    return "n" + secrets.token_hex(4)


def from_request(form: MultiDict[str, str]) -> Typed:
    """What was typed, as it was typed."""
    typed = Typed({name: form.get(name, "") for name in PLAIN}, [role for role in form.getlist("roles") if role in rules.ROLES])
    for name, value in form.items():
        if found := ROW.fullmatch(name):
            kind, key, column = found.groups()
            rows = typed.rows.setdefault(kind, {})
            if len(rows) < MOST_ROWS or key in rows:
                rows.setdefault(key, {})[column] = value
    return typed


def blank(role: str, category: int | None, vendor_category: int | None) -> Typed:
    """A form for a new party."""
    roles = [role if role in rules.ROLES else "customer"]
    values = {"kind": "company", "grade": "standard", "credit_days": "30", "vendor_days": "30", "settlement": "job"}
    values |= {"category_id": str(category or ""), "vendor_category_id": str(vendor_category or "") if roles != ["customer"] else ""}
    contact = fresh_key()
    return Typed(values, roles, {"contact": {contact: {"active": "1"}}, "phone": {fresh_key(): {"of": contact, "label": "mobile"}}})


def from_card(card: Card, person: Reader | None) -> Typed:
    """The party as it is stored, phones as this person may see them."""
    party = card.party
    plain = {name: getattr(party, name, "") for name in PLAIN if name not in ("tags", "preferred")}
    preferred = next((str(one.id) for one in card.contacts if one.preferred), "")
    values = {name: "" if value is None else str(value) for name, value in plain.items()} | {"tags": ", ".join(party.tags or []), "preferred": preferred}
    values |= {"email": masking.shown_mail(person, party.email), "fax": masking.shown_phone(person, party.fax)}
    if party.kind == "person":  # a company's is public, a person's tells who they are
        values["tax_number"] = masking.shown_identity(person, party.tax_number)
    if not masking.reads_amounts(person):
        values["credit_limit"] = ""
    return Typed(values, list(party.roles), dict(_rows(card, person)))


def _rows(card: Card, person: Reader | None) -> Iterator[tuple[str, dict[str, Fields]]]:
    yield "department", {str(key): {"name": name} for key, name in card.departments.items()}
    yield "contact", {
        str(c.id): {"name": c.name, "title": c.title, "department": card.department(c), "note": c.note, "active": "1" if c.active else ""}
        for c in card.contacts
    }
    yield "phone", {
        str(p.id): {"of": str(p.contact_id or ""), "raw": masking.shown_phone(person, p.raw), "label": p.label} for p in card.phones
    }
    yield "mail", {
        str(m.id): {"of": str(m.contact_id), "address": masking.shown_mail(person, m.address), "label": m.label} for m in card.mails
    }
    yield "contract", {
        str(c.id): {
            "number": c.number, "name": c.name, "valid_from": str(c.valid_from or ""), "valid_until": str(c.valid_until or ""),
            "services": ", ".join(c.services),
        }
        for c in card.contracts
    }  # fmt: skip
    yield "account", {str(a.id): {"system": a.system, "account": a.account, "book": a.book} for a in card.accounts}


# ---- what it means


class _Reading:
    """Reads a form and gathers what is wrong with it, field by field."""

    def __init__(self, typed: Typed, person: Reader | None, card: Card | None) -> None:
        self.typed, self.person, self.card = typed, person, card
        self.wrong: Fields = {}

    def text(self, name: str, value: str, limit: str = "", clean: Any = rules.clean) -> str:
        """The value without what cannot be seen; too long is a fault."""
        found, most = str(clean(value)), rules.LONGEST[limit or name]
        if len(found) > most:
            self.wrong[name] = _("At most %(count)s letters; this has %(found)s.", count=most, found=len(found))
        return found

    def own(self, name: str, clean: Any = rules.clean) -> str:
        """A text of the party itself."""
        return self.text(name, self.typed.get(name), clean=clean)

    def one_of(self, name: str, options: tuple[str, ...]) -> str:
        """One of the words that the field knows."""
        value = self.typed.get(name) or options[0]
        if value not in options:
            self.wrong[name] = _("Choose one of the list.")
        return value

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number within bounds; nothing when nothing was typed."""
        value = self.typed.get(name).strip()
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and least <= int(value[:9]) <= most):
            self.wrong[name] = _("A whole number from %(least)s to %(most)s.", least=least, most=most)
            return None
        return int(value[:9])

    def amount(self, name: str) -> Decimal | None:
        """An amount of money; nothing when nothing was typed."""
        value = self.typed.get(name).replace(",", "").strip()
        try:
            found = Decimal(value).quantize(Decimal("0.01")) if value else None
        except InvalidOperation:
            found = Decimal(-1)
        if found is not None and not 0 <= found < Decimal(10) ** 12:
            self.wrong[name] = _("An amount such as 50000.00, or nothing for no limit.")
            return None
        return found

    def day(self, name: str, value: str) -> date | None:
        """A day; nothing when nothing was typed."""
        try:
            found = date.fromisoformat(value) if value else None
        except ValueError:
            found = date.min
        if found is not None and not 1970 <= found.year < 2200:
            self.wrong[name] = _("A day such as 2026-12-31.")
            return None
        return found

    def mail(self, name: str, value: str, stored: str = "") -> str:
        """A mail address; one that came back covered is the stored one."""
        found = self.text(name, value, "mail")
        if stored and found in (masking.masked_mail(stored), masking.shown_mail(self.person, stored)):
            return stored
        if found and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", found):
            self.wrong[name] = _("A mail address such as name@example.com.")
        return found

    def phone(self, name: str, value: str, stored: str = "") -> str:
        """A number as it was typed; one that came back covered is the stored one."""
        try:
            return masking.typed_phone(self.person, self.text(name, value, "raw"), stored)
        except Invalid as error:
            self.wrong[name] = error.message
            return ""

    def identity(self, name: str, stored: str = "") -> str:
        """An identity or tax number; one that came back covered is the stored one."""
        found = self.own(name)
        if stored and found == masking.shown_identity(self.person, stored):
            return stored
        if masking.is_masked(found):
            self.wrong[name] = _("This number is covered with stars. Type the whole number.")
        return found

    def below(self, kind: str, owner: str = "") -> Iterator[tuple[str, int | None, Fields, bool]]:
        """Rows of a kind: prefix of their fields, id, values, and whether they are to go. Empty new ones are no rows."""
        for key, row in self.typed.below(kind, owner):
            row_id = asked.whole(key)
            said = [value for name, value in row.items() if name not in ("of", "label", "active") and value.strip()]
            if row_id or (said and not row.get("gone")):
                yield f"{kind}-{key}-", row_id, row, bool(row.get("gone")) or (kind != "contact" and not said)


def to_draft(typed: Typed, person: Reader | None, card: Card | None = None) -> PartyDraft:
    """The party that the form describes; raises Invalid that names every field at fault. `card` is the stored one."""
    read = _Reading(typed, person, card)
    number = typed.get("settlement_day") if typed.get("settlement") == "monthly" else ""
    typed.values["settlement_day"] = number
    draft = PartyDraft(
        name=read.own("name"),
        kind=read.one_of("kind", ("company", "person")),
        roles=tuple(typed.roles),
        grade=read.one_of("grade", rules.GRADES),
        category_id=read.number("category_id", 1, 10**9),
        vendor_category_id=read.number("vendor_category_id", 1, 10**9),
        tags=_tags(read),
        address=read.own("address"),
        email=read.mail("email", typed.get("email"), card.party.email if card else ""),
        fax=read.phone("fax", typed.get("fax"), card.party.fax if card else ""),
        web=_web(read),
        tax_number=read.identity("tax_number", card.party.tax_number if card else ""),
        note=read.own("note", rules.clean_lines),
        credit_days=read.number("credit_days", 0, 3650) or 0,
        credit_limit=read.amount("credit_limit") if masking.reads_amounts(person) else card.party.credit_limit if card else None,
        settlement=read.one_of("settlement", rules.SETTLEMENTS),
        settlement_day=read.number("settlement_day", 1, 31),
        vendor_days=read.number("vendor_days", 0, 3650) or 0,
        departments=tuple(
            DepartmentRow(key, read.text(f"{at}name", row.get("name", ""), "department"), gone, f"{at}name")
            for at, key, row, gone in read.below("department")
        ),
        contacts=_contacts(read),
        phones=_phones(read, ""),
        contracts=tuple(_contract(read, *one) for one in read.below("contract")),
        accounts=tuple(
            AccountRow(key, **{name: read.text(at + name, row.get(name, ""), name) for name in ACCOUNT}, gone=gone, field=f"{at}account")
            for at, key, row, gone in read.below("account")
        ),
    )
    read.wrong |= {} if draft.name else {"name": _("Give the customer a name.")}
    if read.wrong:
        raise Invalid(next(iter(read.wrong.values())), read.wrong)
    return draft


def _tags(read: _Reading) -> tuple[str, ...]:
    tags = rules.words(read.typed.get("tags"))
    if len(tags) > rules.MOST_TAGS or any(len(tag) > rules.LONGEST_TAG for tag in tags):
        read.wrong["tags"] = _("At most %(many)s tags of at most %(long)s letters each.", many=rules.MOST_TAGS, long=rules.LONGEST_TAG)
    return tuple(tags)


def _web(read: _Reading) -> str:
    found = read.own("web")
    if found and not re.fullmatch(r"(https?://)?[^\s:/@]+\.[^\s:@]+(:\d+)?(/\S*)?", found):
        read.wrong["web"] = _("An address such as www.example.com.")
    return found


def _contacts(read: _Reading) -> tuple[ContactRow, ...]:
    found = []
    for key, row in read.typed.below("contact"):
        at, row_id, gone = f"contact-{key}-", asked.whole(key), bool(row.get("gone"))
        phones, mails = _phones(read, key, gone), _mails(read, key, gone)
        said = any(row.get(name, "").strip() for name in ("name", "title", "department", "note")) or phones or mails
        if row_id is None and (gone or not said):
            continue
        name = read.text(f"{at}name", row.get("name", ""), "contact")
        if not name and not gone:
            read.wrong[f"{at}name"] = _("Give the contact a name.")
        title, department = (read.text(at + one, row.get(one, ""), one) for one in ("title", "department"))
        note = read.text(f"{at}note", row.get("note", ""), "reason")
        main = read.typed.get("preferred") == key and not gone
        found.append(ContactRow(row_id, name, title, department, note, bool(row.get("active")), main, phones, mails, gone, f"{at}name"))
    return tuple(found)


def _phones(read: _Reading, owner: str, all_gone: bool = False) -> tuple[PhoneRow, ...]:
    stored = {one.id: one.raw for one in read.card.phones} if read.card else {}
    return tuple(
        PhoneRow(key, read.phone(f"{at}raw", row.get("raw", ""), stored.get(key or 0, "")), _label(row), gone or all_gone, f"{at}raw")
        for at, key, row, gone in read.below("phone", owner)
    )


def _mails(read: _Reading, owner: str, all_gone: bool = False) -> tuple[MailRow, ...]:
    stored = {one.id: one.address for one in read.card.mails} if read.card else {}
    return tuple(
        MailRow(key, read.mail(f"{at}address", row.get("address", ""), stored.get(key or 0, "")), _label(row), gone or all_gone, f"{at}address")
        for at, key, row, gone in read.below("mail", owner)
    )


def _label(row: Mapping[str, str]) -> str:
    return row.get("label", "") if row.get("label", "") in rules.LABELS else ""


def _contract(read: _Reading, at: str, key: int | None, row: Fields, gone: bool) -> ContractRow:
    words = tuple(rules.words(read.text(f"{at}services", row.get("services", ""), "services")))
    number, name = (read.text(at + one, row.get(one, ""), one) for one in ("number", "name"))
    since, until = (read.day(at + one, row.get(one, "")) for one in ("valid_from", "valid_until"))
    return ContractRow(key, number, name, since, until, words, gone, f"{at}valid_until")
