"""One of everything in two branches, and whoever attacks: all permissions, but only the other branch."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.core import clock, db, scope
from service.core.lists.model import SavedView
from service.devices import actions as devices
from service.devices.schemas import ComponentFacts
from service.imports import actions as imports
from service.imports import folder as imported
from service.maintenance import actions as maintenance
from service.maintenance.patrols import actions as patrols
from service.maintenance.patrols.schemas import Found, Round
from service.parties.model import PartyCategory
from service.sites import actions as sites
from service.staff.model import Branch, Staff
from tests import make
from tests.browser import scene

SECRET = "外网点机密"  # stands in the words of everything foreign, so that a page which shows it gives itself away
# The table whose row a number in an address or a form means, where the name does not say so.
MEANT = {
    "visit_id": "maintenance_reminder", "patrol_id": "patrol_visit", "round_id": "patrol_round", "plan_id": "maintenance_plan", "picture_id": "attachment", "view_id": "saved_view", "batch_id": "import_batch",
    "pop_id": "agent_pop", "line_id": "missed_caller", "other_id": "call", "missed": "missed_caller", "into": "party", "party": "party", "device": "device",
    "component": "device_component", "component_id": "device_component", "part": "device_component", "pop": "agent_pop", "plan": "maintenance_plan",
    "saved": "saved_view", "but": "party",
}  # fmt: skip
# Numbers of what belongs to the whole firm: there is nothing foreign about them.
FIRMS = {"product_id", "category_id", "region_id", "calendar_id", "use_id", "role_id", "department_id", "branch_id", "passkey_id", "key_id"}


@dataclass
class Side:
    """A branch with its people and one id of each of its tables."""

    branch: Branch
    agent: Staff
    boss: Staff
    ids: dict[str, int] = field(default_factory=dict)
    code: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    def meant(self, name: str) -> int | None:
        """What the number of that name means here: `site_id` and `site` are the site."""
        if name in ("staff_id", "assignee_id", "responsible_id", "staff", "assignee", "owner_id"):
            return self.agent.id
        return self.ids.get(MEANT.get(name, name.removesuffix("_id")))


def two(database: db.Database, cast: SimpleNamespace, folder: Path) -> SimpleNamespace:
    """Suzhou is mine, Pudong is foreign; mine.boss may do everything, in Suzhou alone."""
    firms(cast)
    mine = Side(cast.suzhou, _agent("eva", cast.suzhou, "3001"), _boss("eve", cast.suzhou))
    foreign = Side(cast.pudong, cast.ada, _boss("max", cast.pudong))
    for side, word, extension in ((mine, "苏州", "3001"), (foreign, SECRET, "1001")):
        fill(side, word, extension, folder)
        side.ids = ids_of(database, side.branch.id)
    return SimpleNamespace(**vars(cast), mine=mine, foreign=foreign)


def firms(cast: SimpleNamespace) -> None:
    """What belongs to no branch."""
    with db.begin(scope.ALL) as session:
        session.add(PartyCategory(name="普通", side="customer", position=1, usual=True))
        make.region(session, "华东")
        for branch in (cast.pudong, cast.suzhou):
            make.line(session, branch, f"queue-{branch.code}")


def _boss(name: str, branch: Branch) -> Staff:
    with db.begin(scope.ALL) as session:
        return make.staff(session, name, branch, "admin", reach="branch")


def _agent(name: str, branch: Branch, extension: str) -> Staff:
    with db.begin(scope.ALL) as session:
        person = make.staff(session, name, branch, "agent", "technician", reach="branch")
        make.seat(session, person, extension, clock.now())
        return person


def fill(side: Side, word: str, extension: str, folder: Path) -> None:
    """One of everything in that branch, each by the action that makes it."""
    now, number = clock.now(), f"1380000{extension}"
    with db.begin(scope.ALL) as session:
        _of_customers(session, side, word, number)
        call = make.call(session, now, caller_number=number, caller_name=word, queue=f"queue-{side.branch.code}", agent=extension, answered_by=extension)
        make.call(session, now, caller_number=number, queue=f"queue-{side.branch.code}", disposition="abandoned", agent=None, answered_by=None, answered_at=None, talk_seconds=None)
        recording = calls.recording_found(
            session, **{"switch": "pbx1", "uniqueid": call.call_key, "segment": 1, "path": "x", "sha256": "x"},
            **{"size": 1, "seconds": Decimal(1), "form": "wav/8000/1", "at": now},
        )  # fmt: skip
        calls.recording_played(session, recording, by=side.agent.id, at=now)
        party = session.scalars(select(make.Party).where(make.Party.branch_id == side.branch.id)).first()
        assert party is not None
        make.ticket(session, party, side.agent, now, subject=word, description=word, call=("pbx1", call.call_key), assignee_id=side.agent.id)
        make.invoice(session, party, "10.00", now.date(), now.date(), now)
        session.add(SavedView(list_name="customers", name=word, query="", columns=[], owner_id=side.boss.id, shared_branch_id=side.branch.id, made_at=now))
        kept = imported.keep(folder, io.BytesIO(f"名称\n{word}\n".encode()))
        imports.bring(session, folder, imports.Brought("parties", f"{word}.csv", kept), by=side.boss.id, branch_id=side.branch.id, at=now)
    scene.rings(f"179533179{side.branch.id}.1", extension, caller_number=number, queue=f"queue-{side.branch.code}", caller_name=word)


def _of_customers(session: Session, side: Side, word: str, number: str) -> None:
    now, by = clock.now(), {"by": side.agent.id, "at": clock.now()}
    party = make.party(session, side.branch, f"{word}客户")
    contact = make.contact(session, party, f"{word}人")
    make.phone(session, party, number, contact)
    project = make.project(session, side.branch, name=f"{word}工程", party_id=party.id)
    site = make.site(session, side.branch, name=f"{word}安装点", project_id=project.id, party_id=party.id, address=word)
    device = make.device(session, party, name=f"{word}机", site_id=site.id, project_id=project.id, product_id=make.product(session).id)
    devices.fit(session, device.id, ComponentFacts(f"{word}部件", "S1", None), **by)
    make.plan(session, device, side.agent, content=word)
    maintenance.remind(session, at=now + timedelta(days=2))
    today = clock.local(now).date()
    round_ = patrols.plan(session, Round(word, side.agent.id, today, today, (site.id,)), **by)
    patrols.record(session, ATTACHMENTS[0], Found(site.id, word, True, f"patrol {side.branch.id}", round_id=round_), **by)
    sites.add_picture(session, ATTACHMENTS[0], site.id, picture(), f"{word}.jpg", **by)
    side.code = device.code
    side.texts = {"serial": device.serial, "number": device.number, "project": project.number, "party": party.number}


ATTACHMENTS: list[Path] = []


def picture(size: tuple[int, int] = (8, 6)) -> bytes:
    """A small picture as a camera sends it."""
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "JPEG")
    return out.getvalue()


# ---- what the database says


def branch_tables(database: db.Database) -> list[str]:
    """Every table with a branch."""
    with database.owner.connect() as connection:
        found = connection.execute(text(
            "select c.table_name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)"
            " where c.table_schema = 'public' and c.column_name = 'branch_id' and t.table_type = 'BASE TABLE' and c.table_name <> 'staff' order by 1"))  # fmt: skip
        return list(found.scalars())


def ids_of(database: db.Database, branch_id: int) -> dict[str, int]:
    """The first id of each table in that branch; a saved view belongs to whom it is shared with."""
    found: dict[str, int] = {}
    with database.owner.connect() as connection:
        for table in sorted({*branch_tables(database)} - {"search_entry"}):
            if first := connection.scalar(text(f'select min(id) from "{table}" where branch_id = :b'), {"b": branch_id}):
                found[table] = first
        view = connection.scalar(text("select min(id) from saved_view where shared_branch_id = :b"), {"b": branch_id})
    return found | ({"saved_view": view} if view else {})


def print_of(database: db.Database, branch_id: int) -> dict[str, str]:
    """A fingerprint of each table's rows in that branch, and of who may sign in and do what."""
    prints = {}
    with database.owner.connect() as connection:
        for table in branch_tables(database):
            but = " and verb <> 'refused'" if table == "audit_entry" else ""  # the branch is told who tried
            prints[table] = str(connection.scalar(text(f"select md5(string_agg(t::text, '|' order by t::text)) from \"{table}\" t where branch_id = :b{but}"), {"b": branch_id}))
        for name, query in PEOPLE.items():
            prints[name] = str(connection.scalar(text(f"select md5(string_agg(t::text, '|' order by t::text)) from ({query}) t"), {"b": branch_id}))
    return prints


PEOPLE = {
    "staff": "select id, username, password, active, reach, branch_id, name from staff where branch_id = :b",
    "staff_role": "select r.* from staff_role r join staff s on s.id = r.staff_id where s.branch_id = :b",
    "extension_assignment": "select e.* from extension_assignment e join staff s on s.id = e.staff_id where s.branch_id = :b",
    "saved_view": "select * from saved_view where shared_branch_id = :b",
}


@cache
def _links(database: db.Database) -> tuple[tuple[str, str, str], ...]:
    """(table, column, other table) of every foreign key between tables that have a branch, and of numbers that are only named like one."""
    query = """
        select c.relname, a.attname, o.relname from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        join pg_class o on o.relname || '_id' = a.attname and o.relkind = 'r' and o.relnamespace = 'public'::regnamespace where a.attnum > 0
        union select k.conrelid::regclass::text, a.attname, k.confrelid::regclass::text from pg_constraint k
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1] where k.contype = 'f' and array_length(k.conkey, 1) = 1
    """
    tables = set(branch_tables(database))
    with database.owner.connect() as connection:
        return tuple((a, b, c) for a, b, c in connection.execute(text(query)).all() if a in tables and c in tables)


def crossing(database: db.Database) -> dict[str, int]:
    """How many rows of one branch name a row of another, by foreign key; a sound database has none."""
    counts = [
        f"select '{table}.{column}', count(*) from \"{table}\" a join \"{other}\" b on b.id = a.\"{column}\" where a.branch_id <> b.branch_id having count(*) > 0"
        for table, column, other in _links(database)
    ]
    with database.owner.connect() as connection:
        return {str(row[0]): int(row[1]) for row in connection.execute(text(" union all ".join(counts)))}


def uncrossed(database: db.Database, crossed: Iterable[str]) -> None:
    """Such rows are gone, so that the next finding is one of its own."""
    with database.owner.begin() as connection:
        for table, column, other in _links(database):
            if f"{table}.{column}" in crossed:
                connection.execute(text(f'alter table "{table}" disable trigger user'))
                connection.execute(text(f'update "{table}" a set "{column}" = null from "{other}" b where b.id = a."{column}" and a.branch_id <> b.branch_id'))
                connection.execute(text(f'alter table "{table}" enable trigger user'))


def holding(database: db.Database, *words: str) -> set[str]:
    """table.column of every row that holds one of the words."""
    found = set()
    with database.owner.connect() as connection:
        columns = connection.execute(text(
            "select table_name, column_name from information_schema.columns join information_schema.tables using (table_schema, table_name)"
            " where table_schema = 'public' and table_type = 'BASE TABLE'")).all()  # fmt: skip
        by_table: dict[str, list[str]] = {}
        for table, column in columns:
            by_table.setdefault(table, []).append(column)
        for table, names in by_table.items():
            for row in connection.execute(text(f'select * from "{table}" t where {" or ".join(f"t::text like :w{n}" for n in range(len(words)))}'), {f"w{n}": f"%{w}%" for n, w in enumerate(words)}).mappings():
                found |= {f"{table}.{name}" for name in names if any(word in str(row[name]) for word in words)}
    return found


def routes(app: Flask) -> list[tuple[str, Any]]:
    """(method, rule) of every page; built files and the boards' own parts aside."""
    aside = ("/static/", "/fs-static/", "/dashboards/assets", "/dashboards/_")
    return [
        (method, rule) for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule) if not rule.rule.startswith(aside)
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]  # fmt: skip


def nothing(found: Any) -> None:
    """Nothing got through; else each finding stands on a line of its own."""
    lines = [f"{one}: {found[one]}" for one in found] if isinstance(found, dict) else [str(one) for one in found]
    assert not lines, "\n".join(lines[:60])
