"""What stands around the demo's customers: categories, departments, contracts, a supplier who is a customer too, and a suspected pair."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import phone as phones
from service.core.search import reading
from service.parties import rules
from service.parties.model import (
    Contact,
    ContactMail,
    Contract,
    Party,
    PartyAccount,
    PartyCategory,
    PartyDepartment,
    PartyPhone,
)

CUSTOMERS = {"企业客户": ("制造", "物流", "零售"), "事业单位": ("学校", "医院")}
VENDORS = ("配件供应", "外协维修", "物流承运")
DEPARTMENTS = ("采购部", "信息部")


def categories(session: Session) -> list[int]:
    """Both trees exist; returns the ids of the customers' leaves."""
    leaves: list[int] = []
    for name, below in CUSTOMERS.items():
        parent = _category(session, name, None)
        leaves += [_category(session, one, parent) for one in below]
    for name in VENDORS:
        _category(session, name, None, "vendor")
    return leaves


def _category(session: Session, name: str, parent: int | None, side: str = "customer") -> int:
    made = PartyCategory(name=name, parent_id=parent, side=side, position=10)
    session.add(made)
    session.flush()
    return made.id


def contract(session: Session, party: Party, number: int, until: date) -> None:
    """A yearly contract; of every fifth customer the one before it too."""
    services = [["上门维修", "耗材", "季度巡检"], ["上门维修"]][number % 2]
    years = (1, 0) if number % 5 == 0 else (0,)
    for back in years:
        last = until - timedelta(days=365 * back)
        party_id, branch = party.id, party.branch_id
        row = {"number": f"HT-{last.year}-{1001 + number}", "name": "年保", "valid_from": last - timedelta(days=364), "valid_until": last}
        session.add(Contract(party_id=party_id, branch_id=branch, services=services, **row))


def of_departments(session: Session, party: Party, number: int) -> None:
    """The first contact is the main one; large customers have departments with their people, and numbers have labels."""
    contacts = list(session.scalars(select(Contact).where(Contact.party_id == party.id).order_by(Contact.id)))
    for phone in session.scalars(select(PartyPhone).where(PartyPhone.party_id == party.id)):
        phone.label = "mobile" if phone.contact_id else "office"
    for at, contact in enumerate(contacts):
        contact.preferred = at == 0
        if number % 2:
            department = PartyDepartment(party_id=party.id, name=DEPARTMENTS[at % 2], branch_id=party.branch_id)
            session.add(department)
            session.flush()
            contact.department_id = department.id
        mail = f"{reading(contact.name).split(' ')[-1]}{number}@customer.example"
        session.add(ContactMail(party_id=party.id, contact_id=contact.id, address=mail, label="office", branch_id=party.branch_id))
    if number % 4 == 1:
        account = {"system": "营业收费", "account": f"30{number:06d}", "book": f"B{number // 10:03d}"}
        session.add(PartyAccount(party_id=party.id, branch_id=party.branch_id, **account))


def others(session: Session, branches: dict[str, int], now: datetime) -> None:
    """A supplier who buys here too, a carrier, and one customer who was written down twice."""
    vendor = {row.name: row.id for row in session.scalars(select(PartyCategory).where(PartyCategory.side == "vendor"))}
    usual = next(iter(session.scalars(select(PartyCategory.id).where(PartyCategory.usual, PartyCategory.side == "customer"))), None)
    for number, name, roles, category, raw in (
        (2001, "苏州联创配件有限公司", ("customer", "vendor", "repairer"), vendor["配件供应"], "0512 6700 1200"),
        (2002, "顺达物流（上海）", ("carrier",), vendor["物流承运"], "021 5800 3300"),
        (2003, "启明教育集团有限公司", ("customer",), None, "021 5811 2244"),
        (2004, "启明教育集团 有限公司", ("customer",), None, "13911112244"),
    ):
        party = Party(
            number=f"C-{number}",
            name=name,
            name_pinyin=reading(name),
            name_key=rules.name_key(name),
            category_id=usual if "customer" in roles else None,
            vendor_category_id=category,
            created_at=now - timedelta(days=200),
            branch_id=branches["PD"],
            **{role: role in roles for role in rules.ROLES},
        )
        session.add(party)
        session.flush()
        phone = phones.parse(raw)
        facts = {"raw": raw, "e164": phone.e164, "digits": phone.digits, "kind": phone.kind, "label": "office"}
        session.add(PartyPhone(party_id=party.id, branch_id=party.branch_id, **facts))
