"""Makes what a test needs: people, parties, phones, devices, calls, tickets, money. Values can be overridden by name."""

import itertools
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

from psycopg2 import errors
from sqlalchemy import Engine, create_engine, insert, make_url, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from service.calls.agents.model import AgentState
from service.calls.model import Call, PhoneLine
from service.calls.schemas import CallFacts
from service.catalogue.model import Product
from service.core import db
from service.core import phone as phones
from service.core.search import reading
from service.devices.model import Device
from service.ledger.model import LedgerAllocation, LedgerItem
from service.parties.index import index
from service.parties.model import Contact, Contract, Party, PartyPhone
from service.sites.model import Project, Region, Site
from service.staff import rules
from service.staff.departments.model import Team, TeamMember
from service.staff.model import Branch, Department, ExtensionAssignment, Role, Staff, staff_role
from service.tickets import actions as tickets
from service.tickets.model import Ticket
from service.tickets.schemas import NewTicket

PASSWORD = "correct horse battery"
_counter = itertools.count(1)
_hashed: list[str] = []
KEPT = ("alembic_version", "sla_policy", "retention_class", "kpi_policy")


# Only what holds rows is emptied, and no trigger, policy or foreign key is asked: nothing in the catalogue changes.
EMPTYING = """
do $$
declare
    place text;
    filled boolean;
begin
    set local lock_timeout = '500ms';
    set local session_replication_role = replica;
    -- A policy names its author, so it goes with the staff; the shipped one, which has none, stays.
    delete from kpi_policy where version <> 1;
    for place in select tablename from pg_tables where schemaname = 'public' and tablename <> all (array[{kept}]) loop
        execute format('select exists (select from %I)', place) into filled;
        if filled then
            execute format('delete from %I', place);
        end if;
    end loop;
    for place in select sequencename from pg_sequences where schemaname = 'public' and last_value is not null loop
        perform setval(format('%I', place)::regclass, 1, false);
    end loop;
end $$
"""


def empty(database: db.Database) -> None:
    """No row is left in any table but the shipped ones; a page that is still being answered is let finish."""
    for _try in range(60):
        try:
            with _mighty(database.settings.dsn_owner).begin() as connection:
                connection.execute(text(EMPTYING.format(kept=", ".join(f"'{name}'" for name in KEPT))))
            return
        except OperationalError as error:
            if not isinstance(error.orig, errors.LockNotAvailable | errors.DeadlockDetected):
                raise
    raise AssertionError("somebody keeps a table for half a minute")


@cache
def _mighty(dsn: str) -> Engine:
    """The embedded server's own administrator, whom no policy and no trigger binds."""
    return create_engine(make_url(dsn).set(username="postgres"), poolclass=NullPool)


def password_hash() -> str:
    """PASSWORD as argon2 stores it, reckoned once a run with the cheapest allowed cost."""
    if not _hashed:
        from argon2 import PasswordHasher

        _hashed.append(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD))
    return _hashed[0]


def branch(session: Session, code: str = "", name: str = "", parent: Branch | None = None) -> Branch:
    """A branch."""
    number = next(_counter)
    made = Branch(
        code=code or f"B{number}",
        name=name or f"网点{number}",
        name_en=f"Branch {number}",
        parent_id=parent.id if parent else None,
    )
    session.add(made)
    session.flush()
    return made


def department(session: Session, branch: Branch, name: str = "", head: Staff | None = None, parent: Department | None = None) -> Department:
    """A department of the branch."""
    made = Department(
        name=name or f"部门{next(_counter)}", branch_id=branch.id, head_id=head.id if head else None, parent_id=parent.id if parent else None
    )
    session.add(made)
    session.flush()
    return made


def team(session: Session, department: Department, name: str, *members: Staff) -> Team:
    """A team of the department, led by the first of its members."""
    made = Team(name=name, department_id=department.id, leader_id=members[0].id if members else None, branch_id=department.branch_id)
    session.add(made)
    session.flush()
    session.add_all(TeamMember(team_id=made.id, staff_id=one.id, branch_id=department.branch_id) for one in members)
    session.flush()
    return made


def role_at(session: Session, person: Staff, name: str, branch: Branch) -> None:
    """The person holds the role in that branch, besides what they hold already."""
    session.execute(insert(staff_role).values(staff_id=person.id, role_id=role(session, name).id, branch_id=branch.id))


def role(session: Session, name: str) -> Role:
    """The role with the permissions that the rules give it."""
    known = session.scalars(select(Role).where(Role.name == name)).first()
    if known is None:
        known = Role(name=name, permissions=sorted(rules.PERMISSIONS[name]))
        session.add(known)
        session.flush()
    return known


def staff(
    session: Session, username: str, branch: Branch, *roles: str, reach: str = "branch", locale: str = "en", **more: Any
) -> Staff:
    """A person with these roles and PASSWORD."""
    made = Staff(
        username=username,
        email=f"{username}@ringdesk.example",
        password=password_hash(),
        active=True,
        fs_uniquifier=f"u-{username}-{next(_counter)}",
        name=more.pop("name", username.title()),
        branch_id=branch.id,
        reach=reach,
        locale=locale,
        roles=[role(session, name) for name in roles],
        **more,
    )
    session.add(made)
    session.flush()
    return made


def seat(session: Session, person: Staff, extension: str, at: datetime, switch: str = "pbx1") -> None:
    """The person sits at that extension since a year before `at`, ready since then at the first of them."""
    since = at - timedelta(days=365)
    session.add(ExtensionAssignment(switch=switch, extension=extension, staff_id=person.id, valid_from=since))
    if session.scalars(select(AgentState.id).where(AgentState.staff_id == person.id)).first() is None:
        session.add(AgentState(staff_id=person.id, switch=switch, extension=extension, chosen="ready", state="ready", since=since,
                               branch_id=person.branch_id))
    session.flush()


def cast(session: Session, at: datetime) -> SimpleNamespace:
    """Headquarters with two branches and the people every test knows; Ada sits at 1001 and 801, Ben at 1002 and 802."""
    hq = branch(session, "HQ", "总部")
    pudong, suzhou = branch(session, "PD", "浦东", hq), branch(session, "SZ", "苏州", hq)
    people = SimpleNamespace(
        hq=hq,
        pudong=pudong,
        suzhou=suzhou,
        ada=staff(session, "ada", pudong, "agent"),
        ben=staff(session, "ben", pudong, "agent"),
        cleo=staff(session, "cleo", pudong, "supervisor"),
        wang=staff(session, "wang", pudong, "technician"),
        dan=staff(session, "dan", suzhou, "agent"),
        fay=staff(session, "fay", hq, "finance", reach="all"),
        mei=staff(session, "mei", hq, "manager", reach="all"),
        root=staff(session, "root", hq, "admin", reach="all"),
    )
    for person, extensions in ((people.ada, ("1001", "801")), (people.ben, ("1002", "802"))):
        for extension in extensions:
            seat(session, person, extension, at)
    return people


def party(session: Session, branch: Branch, name: str = "上海恒通物流有限公司", **more: Any) -> Party:
    """A customer."""
    from tests.conftest import AT

    agreed = {"name": more.pop("contract_name", ""), "valid_until": more.pop("contract_until", None)}
    made = Party(
        **{
            "number": f"C-0{next(_counter)}",  # no test names such a number
            "name": name,
            "name_pinyin": reading(name),
            "grade": "standard",
            "created_at": AT,
            "branch_id": branch.id,
        }
        | more
    )
    session.add(made)
    session.flush()
    if any(agreed.values()):
        session.add(Contract(party_id=made.id, branch_id=branch.id, **agreed))
    index(session, [made.id])
    return made


def contact(session: Session, party: Party, name: str = "王丽华", **more: Any) -> Contact:
    """A person at the customer."""
    made = Contact(party_id=party.id, name=name, branch_id=party.branch_id, **more)
    session.add(made)
    session.flush()
    index(session, [party.id])
    return made


def phone(session: Session, party: Party, raw: str, contact: Contact | None = None) -> PartyPhone:
    """A number of the customer."""
    number = phones.parse(raw)
    made = PartyPhone(
        party_id=party.id,
        contact_id=contact.id if contact else None,
        raw=raw,
        e164=number.e164,
        digits=number.digits,
        kind=number.kind,
        branch_id=party.branch_id,
    )
    session.add(made)
    session.flush()
    index(session, [party.id])
    return made


def product(session: Session, **more: Any) -> Product:
    """A product of the catalogue with two years of warranty."""
    number = next(_counter)
    made = Product(**{"code": f"P-{number}", "name": "热敏打印机", "model": "ZT411", "warranty_months": 24} | more)
    session.add(made)
    session.flush()
    return made


def device(session: Session, party: Party, **more: Any) -> Device:
    """A device of the customer."""
    number = next(_counter)
    made = Device(
        **{
            "number": f"DEV-0{number:04d}",
            "party_id": party.id,
            "name": "热敏打印机",
            "model": "ZT411",
            "serial": f"SN{number:06d}",
            "branch_id": party.branch_id,
            "warranty_until": date(2027, 2, 28),
        }
        | more
    )
    session.add(made)
    session.flush()
    return made


def plan(session: Session, device: Device, by: Staff, **more: Any) -> int:
    """A plan for each day, whose first visit is due tomorrow; returns its id."""
    from service.core import clock
    from service.maintenance import actions
    from service.maintenance.schemas import Plan

    new = Plan(**{"content": "保养", "timing": "interval", "every": 1, "starts_on": clock.now().date()} | more)
    return actions.plan(session, device.id, new, by=by.id, at=clock.now())


def region(session: Session, name: str = "", parent: Region | None = None) -> Region:
    """A region."""
    made = Region(name=name or f"区域{next(_counter)}", parent_id=parent.id if parent else None)
    session.add(made)
    session.flush()
    return made


def project(session: Session, branch: Branch, **more: Any) -> Project:
    """A project."""
    from service.sites.index import index_projects
    from tests.conftest import AT

    number = next(_counter)
    made = Project(**{"number": f"P-{number:04d}", "name": f"工程{number}", "created_at": AT, "branch_id": branch.id} | more)
    session.add(made)
    session.flush()
    index_projects(session, [made.id])
    return made


def site(session: Session, branch: Branch, **more: Any) -> Site:
    """A site."""
    from service.sites.index import index_sites
    from tests.conftest import AT

    number = next(_counter)
    made = Site(**{"number": f"S-{number:04d}", "name": f"安装点{number}", "created_at": AT, "branch_id": branch.id} | more)
    session.add(made)
    session.flush()
    index_sites(session, [made.id])
    return made


def line(
    session: Session, branch: Branch, name: str, kind: str = "queue", label: str = "", switch: str = "pbx1"
) -> PhoneLine:
    """A queue or a dialled number that serves a branch."""
    made = PhoneLine(switch=switch, kind=kind, name=name, label=label or name, branch_id=branch.id)
    session.add(made)
    session.flush()
    return made


def ticket(session: Session, party: Party, by: Staff, at: datetime, **more: Any) -> Ticket:
    """A registered ticket, made by the real action."""
    new = NewTicket(**{"party_id": party.id, "subject": "打印机卡纸", "priority": "normal"} | more)
    return session.get_one(Ticket, tickets.register(session, new, by=by.id, at=at))


def facts(at: datetime, **more: Any) -> CallFacts:
    """An answered queue call of two minutes from 138 0000 1001 to extension 1001."""
    number = next(_counter)
    plain: dict[str, Any] = {
        "switch": "pbx1",
        "call_key": f"{int(at.timestamp())}.{number}",
        "aliases": (),
        "direction": "inbound",
        "caller_number": "13800001001",
        "caller_name": None,
        "called": "02160000100",
        "queue": "support",
        "agent": "1001",
        "answered_by": "1001",
        "disposition": "answered",
        "hangup_by": "caller",
        "started_at": at,
        "queued_at": at,
        "answered_at": at + timedelta(seconds=10),
        "ended_at": at + timedelta(seconds=130),
        "wait_seconds": Decimal(10),
        "talk_seconds": Decimal(120),
        "total_seconds": Decimal(130),
        "recorded": True,
        "recording_name": None,
        "legs": (),
        "live": False,
        "provenance": "live",
        "end_certain": True,
        "revision": number,
    }
    return CallFacts(**plain | more)


def call(session: Session, at: datetime, **more: Any) -> Call:
    """A stored call, made by the real action."""
    from service.calls import actions

    return session.get_one(Call, actions.store_calls(session, [facts(at, **more)], None, at=at)[0])


def invoice(session: Session, party: Party, amount: str, dated: date, due_on: date, at: datetime) -> LedgerItem:
    """An open claim on the customer."""
    return _item(session, party, "invoice", amount, dated, due_on, at)


def receipt(
    session: Session, party: Party, amount: str, dated: date, at: datetime, pays: LedgerItem | None = None
) -> LedgerItem:
    """Money received, allocated to one claim if given."""
    made = _item(session, party, "receipt", amount, dated, dated, at)
    if pays:
        session.add(
            LedgerAllocation(
                claim_id=pays.id, credit_id=made.id, dated=dated, amount=Decimal(amount), branch_id=party.branch_id
            )
        )
        session.flush()
    return made


def _item(
    session: Session, party: Party, kind: str, amount: str, dated: date, due_on: date, at: datetime
) -> LedgerItem:
    made = LedgerItem(
        number=f"L{next(_counter)}",
        party_id=party.id,
        kind=kind,
        dated=dated,
        due_on=due_on,
        amount=Decimal(amount),
        posted_at=at,
        branch_id=party.branch_id,
    )
    session.add(made)
    session.flush()
    return made
