"""Writes the demo firm into an empty database, in one transaction: the same seed, the same firm."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.calls.agents.model import AgentState
from service.calls.model import PhoneLine
from service.core import phone as phones
from service.core.search import reading
from service.demo import archive, history, machines, names, organisation, places, rounds, today, upkeep
from service.devices.model import Device
from service.ledger.model import LedgerAllocation, LedgerItem
from service.parties.model import Contact, Party, PartyPhone
from service.staff import rules
from service.staff.model import Branch, ExtensionAssignment, Role, Staff

PARTIES = 60


@dataclass
class Firm:
    """What the seed has made so far, by the names that later parts need."""

    now: datetime
    zone: ZoneInfo
    dice: random.Random
    branches: dict[str, int] = field(default_factory=dict)
    staff: dict[str, int] = field(default_factory=dict)
    seats: dict[str, int] = field(default_factory=dict)
    parties: list[dict[str, Any]] = field(default_factory=list)
    devices: dict[int, list[int]] = field(default_factory=dict)
    categories: list[int] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The firm's own date."""
        return self.now.astimezone(self.zone).date()


def present(session: Session) -> bool:
    """True when the database already has people in it."""
    return session.scalars(select(Staff.id).limit(1)).first() is not None


def plant(session: Session, *, now: datetime, zone: ZoneInfo, seed: int = 7) -> None:
    """The firm exists with ninety days of calls and tickets, and open items of its customers."""
    firm = Firm(now, zone, random.Random(seed))
    _branches(session, firm)
    _people(session, firm)
    organisation.plant(session, firm)
    _lines(session, firm)
    _parties(session, firm)
    archive.others(session, firm.branches, firm.now)
    _devices(session, firm)
    places.plant(session, firm)
    _ledger(session, firm)
    today.plant(session, firm, history.plant(session, firm))
    organisation.tickets_belong(session)
    history.count_on(session)
    upkeep.plant(session, firm)
    rounds.plant(session, firm)


def _branches(session: Session, firm: Firm) -> None:
    parent = None
    for code, name, english in names.BRANCHES:
        kind, facts = "branch" if parent else "headquarters", names.BRANCH_FACTS[code]
        branch = Branch(code=code, name=name, name_en=english, parent_id=parent, kind=kind, **facts)
        session.add(branch)
        session.flush()
        parent = parent or branch.id
        firm.branches[code] = branch.id


def _people(session: Session, firm: Firm) -> None:
    roles = {name: Role(name=name, permissions=sorted(codes)) for name, codes in rules.PERMISSIONS.items()}
    session.add_all(roles.values())
    hashed = PasswordHasher().hash(names.PASSWORD)
    for username, name, branch, carried, reach, extension in names.PEOPLE:
        person = Staff(
            username=username,
            email=f"{username}@ringdesk.example",
            password=hashed,
            active=True,
            name=name,
            reach=reach,
            fs_uniquifier=f"demo-{username}",
            branch_id=firm.branches[branch],
            roles=[roles[r] for r in carried],
        )
        session.add(person)
        session.flush()
        firm.staff[username] = person.id
        if extension:
            firm.seats[extension] = person.id
            session.add(
                ExtensionAssignment(
                    switch=names.SWITCH,
                    extension=extension,
                    staff_id=person.id,
                    valid_from=firm.now - timedelta(days=365),
                )
            )
            session.add(
                AgentState(
                    staff_id=person.id,
                    switch=names.SWITCH,
                    extension=extension,
                    chosen="ready",
                    state="ready",
                    since=firm.now,
                    branch_id=person.branch_id,
                )
            )


def _lines(session: Session, firm: Firm) -> None:
    for kind, name, label, branch in (
        ("queue", "support", "售后", "PD"),
        ("queue", "sales", "销售", "SZ"),
        ("line", "02150800100", "服务热线", "PD"),
        ("line", "02150800101", "销售热线", "SZ"),
    ):
        session.add(PhoneLine(switch=names.SWITCH, kind=kind, name=name, label=label, branch_id=firm.branches[branch]))
    session.flush()


def _parties(session: Session, firm: Firm) -> None:
    firm.categories = archive.categories(session)
    for number in range(PARTIES):
        code = "PD" if number % 5 < 3 else "SZ"
        name = _company(firm.dice, code, number)
        party = Party(
            number=f"C-{1001 + number}",
            name=name,
            name_pinyin=reading(name),
            branch_id=firm.branches[code],
            grade=firm.dice.choices(("vip", "gold", "standard"), (1, 2, 5))[0],
            credit_days=firm.dice.choice((30, 30, 45, 60)),
            address=f"{names.PLACES[code][0]}市{firm.dice.choice(names.PLACES[code][1:])}路 {firm.dice.randint(1, 999)} 号",
            email=f"it{number}@customer.example",
            created_at=firm.now - timedelta(days=firm.dice.randint(100, 900)),
            category_id=firm.categories[number % len(firm.categories)],
            tags=[["开票前确认", "周末可上门"], ["需预约"], []][number % 3],
            settlement="monthly" if number % 4 == 0 else "job",
            settlement_day=25 if number % 4 == 0 else None,
        )
        session.add(party)
        session.flush()
        if number % 3:
            until = firm.today + timedelta(days=firm.dice.randint(-40, 400))
            archive.contract(session, party, number, until)
        phone = _contacts(session, firm, party, number)
        archive.of_departments(session, party, number)
        firm.parties.append({"id": party.id, "branch": code, "phone": phone, "grade": party.grade, "name": party.name})


def _company(dice: random.Random, code: str, number: int) -> str:
    place, trade = dice.choice(names.PLACES[code]), names.TRADES[number % len(names.TRADES)]
    return f"{place}{trade}{dice.choice(names.ENDINGS)}"


def _contacts(session: Session, firm: Firm, party: Party, number: int) -> str:
    """One or two people with mobiles, and a switchboard; returns the first number. Two parties share one number."""
    first = f"138{1001 + number:08d}"
    shared = "13800001001" if number == 1 else first
    people = [shared if number < 2 else first, *([f"139{2000 + number:08d}"] if number % 2 else [])]
    people[0] = "13800001001" if number < 2 else people[0]
    for raw in people:
        person = firm.dice.choice(names.SURNAMES) + firm.dice.choice(names.GIVEN)
        contact = Contact(
            party_id=party.id, name=person, title=firm.dice.choice(names.TITLES), branch_id=party.branch_id
        )
        session.add(contact)
        session.flush()
        _number(session, party, raw, contact.id)
    _number(session, party, f"021 6{number:03d} 5678" if number % 5 < 3 else f"0512 6{number:03d} 5678", None)
    return people[0]


def _number(session: Session, party: Party, raw: str, contact_id: int | None) -> None:
    number = phones.parse(raw)
    session.add(
        PartyPhone(
            party_id=party.id,
            contact_id=contact_id,
            raw=raw,
            e164=number.e164,
            digits=number.digits,
            kind=number.kind,
            branch_id=party.branch_id,
        )
    )


def _devices(session: Session, firm: Firm) -> None:
    products = machines.products(session, firm.staff["technician"], firm.now)
    rows = [row | {"product_id": products[row["model"]]} for row in _device_rows(firm)]
    made = session.execute(insert(Device).returning(Device.id, Device.party_id), rows)
    for device_id, party_id in made:
        firm.devices.setdefault(party_id, []).append(device_id)
    machines.work(session, [one for owned in firm.devices.values() for one in owned], products, by=firm.staff["technician"], now=firm.now)


def _device_rows(firm: Firm) -> Iterator[dict[str, Any]]:
    number = 0
    for party in firm.parties:
        for _ in range(firm.dice.randint(1, 6)):
            number += 1
            name, model, kind = firm.dice.choice(names.DEVICES)
            yield {
                "number": f"DEV-{number:04d}",
                "party_id": party["id"],
                "name": name,
                "model": model,
                "kind": kind,
                "serial": f"{firm.dice.randrange(16**6):06X}-{number:04d}",
                "place": firm.dice.choice(("前台", "仓库", "机房", "2 楼")),
                "warranty_until": firm.today + timedelta(days=firm.dice.randint(-200, 500)),
                "state": "abnormal" if firm.dice.random() < 0.08 else "normal",
                "branch_id": firm.branches[party["branch"]],
            }


def _ledger(session: Session, firm: Firm) -> None:
    """A year of monthly invoices; most are paid, some in part, the newest are open, a few are late."""
    number = 0
    for party in firm.parties[::2]:
        for month in range(12, 0, -1):
            number += 1
            dated = firm.today - timedelta(days=30 * month - firm.dice.randint(0, 9))
            amount = Decimal(firm.dice.randint(20000, 900000)) / 100
            branch = firm.branches[party["branch"]]
            claim = _item(
                session,
                firm,
                f"INV-{number:05d}",
                party["id"],
                "invoice",
                dated,
                dated + timedelta(days=30),
                amount,
                branch,
            )
            if month > 2 or firm.dice.random() < 0.3:
                _paid(session, firm, number, party["id"], claim, amount, branch)


def _item(
    session: Session,
    firm: Firm,
    number: str,
    party_id: int,
    kind: str,
    dated: date,
    due: date,
    amount: Decimal,
    branch: int,
) -> LedgerItem:
    item = LedgerItem(
        number=number,
        party_id=party_id,
        kind=kind,
        dated=dated,
        due_on=due,
        amount=amount,
        posted_at=firm.now,
        branch_id=branch,
    )
    session.add(item)
    session.flush()
    return item


def _paid(
    session: Session, firm: Firm, number: int, party_id: int, claim: LedgerItem, amount: Decimal, branch: int
) -> None:
    part = amount if firm.dice.random() < 0.9 else (amount / 2).quantize(Decimal("0.01"))
    on = min(claim.dated + timedelta(days=firm.dice.randint(10, 50)), firm.today)
    credit = _item(session, firm, f"REC-{number:05d}", party_id, "receipt", on, on, part, branch)
    session.add(LedgerAllocation(claim_id=claim.id, credit_id=credit.id, dated=on, amount=part, branch_id=branch))
