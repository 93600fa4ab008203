"""What a table of customers, or of their contacts, means: columns, how a known one is recognised, and how many are written at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import numbers, search
from service.core import phone as phones
from service.core.intake import sql
from service.core.intake.target import Field, Into, Made, Row, Values
from service.core.intake.values import folded
from service.parties import queries
from service.parties.index import KIND, index
from service.parties.model import Contact, Party, PartyPhone

KINDS = {"company": (_l("Company"), "Company", "公司", "单位", "企业"), "person": (_l("Person"), "Person", "个人")}
GRADES = {
    "standard": (_l("Standard"), "Standard", "普通", "标准"), "vip": (_l("VIP"), "VIP", "重要"), "gold": (_l("Gold"), "Gold", "金牌", "金"),
    "silver": (_l("Silver"), "Silver", "银牌", "银"), "contract": (_l("Contract"), "Contract", "合同", "签约"),
}
SENTENCES = {
    "party_unknown": _l("No customer has this number or exact name. Import the customer first, or correct the name."),
    "party_several": _l("%(number)s customers have this name. Write the customer's number instead."),
    "name_several": _l("%(number)s customers have this name. Give the customer's number, or a phone that one of them has."),
}
# A further column of `party` needs its line here and in COLUMNS, and nothing else.
FIELDS = (
    Field("number", _l("Customer number"), "code", longest=40, also=("Customer number", "客户编号", "编号", "客户号", "客户代码", "number"), example="C-20077",
          note=_l("Leave it empty for a new customer: a number is given. With it a customer is recognised.")),
    Field("name", _l("Customer name"), must=True, also=("Customer name", "客户名称", "客户", "名称", "单位名称", "公司名称", "customer", "company", "name"), example="上海恒通物流有限公司"),
    Field("kind", _l("Company or person"), "choice", also=("Company or person", "客户类型", "类型", "性质", "kind", "type"), choices=KINDS, example="公司"),
    Field("grade", _l("Grade"), "choice", also=("Grade", "客户等级", "等级", "级别", "level"), choices=GRADES, example="普通"),
    Field("contact", _l("Contact"), longest=100, also=("Contact", "联系人", "联系人姓名", "contact person", "contact name"), adds=True, example="王丽华"),
    Field("phones", _l("Phone"), "phones", also=("Phone", "电话", "联系电话", "手机", "手机号", "电话号码", "phone number", "mobile", "tel", "telephone"), adds=True,
          example="13812341001；021-62345678", note=_l("Several numbers with a semicolon between them.")),
    Field("address", _l("Address"), longest=300, also=("Address", "地址", "客户地址", "联系地址"), example="上海市浦东新区张江路 88 号"),
    Field("email", _l("E-mail"), "mail", also=("E-mail", "email", "mail", "邮箱", "电子邮箱", "电子邮件"), example="it@hengtong.example"),
    Field("credit_days", _l("Credit days"), "whole", also=("Credit days", "账期", "账期天数", "信用天数", "terms"), most=3650, example="30"),
    Field("contract_name", _l("Contract"), also=("Contract", "合同", "合同名称", "服务合同", "contract name"), example="年保"),
    Field("contract_until", _l("Contract until"), "day", also=("Contract until", "合同到期", "合同到期日", "合同截止日期", "contract end"), example="2027-06-30"),
)
COLUMNS = {"number": "text", "name": "text", "kind": "text", "grade": "text", "address": "text", "email": "text", "credit_days": "integer",
           "contract_name": "text", "contract_until": "date"}
STANDARD: Values = {"kind": "company", "grade": "standard", "address": "", "email": "", "credit_days": 30, "contract_name": "", "contract_until": None}
PARTY_TYPES = COLUMNS | {"name_pinyin": "text", "created_at": "timestamptz", "branch_id": "bigint"}
PHONE_TYPES = {"party_id": "bigint", "contact_id": "bigint", "raw": "text", "e164": "text", "digits": "text", "kind": "text", "branch_id": "bigint"}
CONTACT_TYPES = {"party_id": "bigint", "name": "text", "title": "text", "branch_id": "bigint"}


@dataclass(frozen=True)
class Parties:
    """Customers with a contact and phones."""

    name: str = "parties"
    permission: str = "party.write"
    icon: str = "building"
    title: Any = _l("Customers")
    fields: tuple[Field, ...] = FIELDS
    tables: tuple[str, ...] = ("party_phone", "contact", "party")
    clears: tuple[tuple[str, str], ...] = ()
    issue: None = None
    address: str = "/customers/{id}"
    sentences: Mapping[str, Any] = field(default_factory=lambda: SENTENCES)

    def key(self, values: Values) -> str:
        """Its number, else a company's name, or a person's name and phones, since many people have one name."""
        if values.get("number"):
            return f"n:{folded(values['number'])}"
        phones_too = sorted(_keys(values)) if values.get("kind") == "person" else []
        return "|".join(("m:" + folded(values.get("name") or ""), *phones_too))

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """By number, else by exact name; people, and names that several have, by one of their phones too."""
        numbered = {row.values["number"] for row in rows if row.values.get("number")}
        known = {row.number: row.id for row in session.execute(select(Party.number, Party.id).where(Party.number.in_(numbered)))}
        named = search.exactly(session, KIND, {row.values["name"] for row in rows if not row.values.get("number") and row.values.get("name")})
        called = _phones(session, {one for ids in named.values() for one in ids})
        for row in rows:
            if row.values.get("number"):
                row.entity_id = known.get(row.values["number"])
            else:
                _by_name(row, named.get(row.values.get("name") or "", []), called)

    def current(self, session: Session, ids: Sequence[int]) -> dict[int, Values]:
        """Customers with all their contacts and phones."""
        found: dict[int, Values] = {}
        for party in session.scalars(select(Party).where(Party.id.in_(ids))):
            values = {name: getattr(party, name) for name in COLUMNS}
            found[party.id] = values | {"contract_until": _iso(party.contract_until), "contact": [], "phones": []}
        for party_id, name in session.execute(select(Contact.party_id, Contact.name).where(Contact.party_id.in_(ids))):
            found[party_id]["contact"].append(name)
        for party_id, raw in session.execute(select(PartyPhone.party_id, PartyPhone.raw).where(PartyPhone.party_id.in_(ids))):
            found[party_id]["phones"].append(raw)
        return found

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The customers exist with contact and phones; None where another branch has the number."""
        readings = [search.reading(row.values["name"]) for row in rows]
        taken = iter(numbers.take_many(session, "C", sum(not row.values.get("number") for row in rows), into.at))
        more = {"created_at": into.at.isoformat(), "branch_id": into.branch_id}
        given = [
            STANDARD | {name: row.values[name] for name in COLUMNS if row.values.get(name) not in (None, "")} | more | {"name_pinyin": reading, "number": row.values.get("number") or next(taken)}
            for row, reading in zip(rows, readings, strict=True)
        ]
        ids = {row.number: row.id for row in sql.insert(session, "party", PARTY_TYPES, given, told="id, number", conflict="on conflict (number) do nothing")}
        placed = [ids.get(str(one["number"])) for one in given]
        added = _add(session, {party_id: row.values for party_id, row in zip(placed, rows, strict=True) if party_id}, into)
        return [Made(party_id, added[party_id] | {"party": [party_id]}) if party_id else None for party_id in placed]

    def update(self, session: Session, changes: Mapping[int, Values], into: Into) -> dict[int, dict[str, list[int]]]:
        """Columns are set, a new contact and new phones are added."""
        written = {party_id: dict(values) | ({"name_pinyin": search.reading(values["name"])} if "name" in values else {}) for party_id, values in changes.items()}
        sql.update(session, "party", COLUMNS | {"name_pinyin": "text"}, written)
        return _add(session, changes, into)

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """Found by name, people, phones."""
        index(session, ids)

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """Found no more."""
        return lambda: search.drop(session, KIND, ids)


CONTACT_FIELDS = (
    Field("party", _l("Customer"), must=True, also=("Customer", "客户", "客户名称", "客户编号", "单位", "公司", "company", "customer name", "customer number"), example="C-20077",
          note=_l("The customer's number or exact name.")),
    Field("name", _l("Full name"), must=True, longest=100, also=("Full name", "姓名", "联系人", "联系人姓名", "name", "contact"), example="王丽华"),
    Field("title", _l("Position"), longest=100, also=("Position", "职务", "职位", "岗位", "title"), example="设备科长"),
    Field("phones", _l("Phone"), "phones", also=FIELDS[5].also, adds=True, example="13812341001", note=FIELDS[5].note),
)


@dataclass(frozen=True)
class Contacts:
    """People at customers that are known already."""

    name: str = "contacts"
    permission: str = "party.write"
    icon: str = "user"
    title: Any = _l("Contacts")
    fields: tuple[Field, ...] = CONTACT_FIELDS
    tables: tuple[str, ...] = ("party_phone", "contact")
    clears: tuple[tuple[str, str], ...] = ()
    issue: None = None
    address: str = ""
    sentences: Mapping[str, Any] = field(default_factory=lambda: SENTENCES)

    def key(self, values: Values) -> str:
        """The customer and the name."""
        return f"{folded(values.get('party') or '')}|{folded(values.get('name') or '')}"

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """By customer and name."""
        lead(session, rows)
        parties = {row.leads["party"] for row in rows if "party" in row.leads}
        known = {(party_id, folded(name)): contact_id for contact_id, party_id, name in session.execute(
            select(Contact.id, Contact.party_id, Contact.name).where(Contact.party_id.in_(parties)).order_by(Contact.id.desc()))}
        for row in rows:
            row.entity_id = known.get((row.leads.get("party", 0), folded(row.values.get("name") or "")))

    def current(self, session: Session, ids: Sequence[int]) -> dict[int, Values]:
        """Contacts with their own phones; the customer is what they were found by."""
        found: dict[int, Values] = {row.id: {"name": row.name, "title": row.title, "phones": []} for row in session.scalars(select(Contact).where(Contact.id.in_(ids)))}
        for contact_id, raw in session.execute(select(PartyPhone.contact_id, PartyPhone.raw).where(PartyPhone.contact_id.in_(ids))):
            found[contact_id or 0]["phones"].append(raw)
        return found

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The people exist at their customers, with phones."""
        given = [{"party_id": row.leads["party"], "name": row.values["name"], "title": row.values.get("title") or "", "branch_id": into.branch_id} for row in rows]
        ids = {(row.party_id, row.name): row.id for row in sql.insert(session, "contact", CONTACT_TYPES, given, told="id, party_id, name")}
        placed = [ids[row.leads["party"], row.values["name"]] for row in rows]
        added = _add_phones(session, [(contact_id, row.leads["party"], row.values.get("phones") or []) for contact_id, row in zip(placed, rows, strict=True)], into)
        return [Made(contact_id, {"contact": [contact_id], "party_phone": added[contact_id]}) for contact_id in placed]

    def update(self, session: Session, changes: Mapping[int, Values], into: Into) -> dict[int, dict[str, list[int]]]:
        """Position is set, new phones are added."""
        sql.update(session, "contact", {"title": "text"}, changes)
        parties = {row.id: row.party_id for row in session.execute(select(Contact.id, Contact.party_id).where(Contact.id.in_(changes)))}
        added = _add_phones(session, [(contact_id, parties[contact_id], values.get("phones") or []) for contact_id, values in changes.items()], into)
        return {contact_id: {"party_phone": added[contact_id]} for contact_id in changes}

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """Their customers are found by them."""
        index(session, set(session.scalars(select(Contact.party_id).where(Contact.id.in_(ids)))))

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """Their customers are found by them no more."""
        parties = set(session.scalars(select(Contact.party_id).where(Contact.id.in_(ids))))
        return lambda: index(session, parties)


TARGETS = (Parties(), Contacts())


def lead(session: Session, rows: Sequence[Row]) -> None:
    """Each row leads to the customer that it names, or says why not."""
    meant = queries.meant(session, {row.values["party"] for row in rows if row.values.get("party")})
    for row in rows:
        ids = meant.get(row.values.get("party") or "", [])
        if len(ids) == 1:
            row.leads["party"] = ids[0]
        elif row.values.get("party"):
            row.refuse("party", "party_several" if ids else "party_unknown", number=len(ids))


def _by_name(row: Row, ids: Sequence[int], called: Mapping[int, set[str]]) -> None:
    person, keys = row.values.get("kind") == "person", _keys(row.values)
    fitting = [one for one in ids if called[one] & keys] if keys and (person or len(ids) > 1) else list(ids)
    if len(fitting) == 1:
        row.entity_id = fitting[0]
    elif fitting or (ids and not person):
        row.refuse("name", "name_several", number=len(ids))


def _keys(values: Values) -> set[str]:
    return {phones.parse(raw).key for raw in values.get("phones") or ()}


def _phones(session: Session, ids: Iterable[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for party_id, raw in session.execute(select(PartyPhone.party_id, PartyPhone.raw).where(PartyPhone.party_id.in_(list(ids)))):
        found[party_id].add(phones.parse(raw).key)
    return found


def _add(session: Session, wanted: Mapping[int, Values], into: Into) -> dict[int, dict[str, list[int]]]:
    """The parties have these contacts and phones besides; returns the rows that were written for each."""
    people = [{"party_id": party_id, "name": values["contact"], "title": "", "branch_id": into.branch_id} for party_id, values in wanted.items() if values.get("contact")]
    contacts = {row.party_id: row.id for row in sql.insert(session, "contact", CONTACT_TYPES, people, told="id, party_id")}
    added = _add_phones(session, [(contacts.get(party_id), party_id, values.get("phones") or []) for party_id, values in wanted.items()], into, by_party=True)
    return {party_id: {"contact": [contacts[party_id]] if party_id in contacts else [], "party_phone": added[party_id]} for party_id in wanted}


def _add_phones(session: Session, wanted: Sequence[tuple[int | None, int, Sequence[str]]], into: Into, *, by_party: bool = False) -> dict[int, list[int]]:
    """Numbers that the party has not are written; returns their ids by contact, or by party."""
    known = _phones(session, {party_id for _contact, party_id, raws in wanted if raws})
    rows, owner, found = [], {}, defaultdict[int, list[int]](list)
    for contact_id, party_id, raws in wanted:
        for number in map(phones.parse, raws):
            if number.key not in known[party_id]:
                known[party_id].add(number.key)
                owner[party_id, number.digits, number.kind] = party_id if by_party else contact_id
                rows.append({"party_id": party_id, "contact_id": contact_id, "raw": number.raw, "e164": number.e164, "digits": number.digits, "kind": number.kind, "branch_id": into.branch_id})
    for row in sql.insert(session, "party_phone", PHONE_TYPES, rows, told="id, party_id, digits, kind"):
        found[owner[row.party_id, row.digits, row.kind] or 0].append(row.id)
    return found


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None
