"""python -m bench.lists [--parties N --devices N --calls N]: what a page of a list and a customer's card cost, beside bare SQL.

The firm is made of invented rows. Each list is asked for its first page, its page 500 and a narrowed page, in the scope of one
branch of ten and in that of the whole firm by turns, by an administrator; what counts is the time from the call of the list to
its rows and names, and the number of statements it took. Bare SQL is the same page for the owner, without policies: one
statement that reaches page 500 by the key as ours does, and one by OFFSET, as lists usually do.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, text

from bench.books import Books, books, p95, timed
from service.app import create_app
from service.core import db, lists, scope
from service.core.identity import Identity
from service.core.lists import ListSpec, place
from service.desk import queries as desk
from service.staff import rules

LIMIT = 100.0  # ms, p95 of a page
ROUNDS, DEEP, SIZE = 40, 500, 50
PLANT = (
    "insert into branch (code, name) select 'B' || n, '网点' || n from generate_series(1, 10) n",
    "insert into staff (email, username, active, fs_uniquifier, name, branch_id, reach, locale)"
    " select 'a@' || n, 'a' || n, true, 'u' || n, '员工' || n, 1 + n % 10, 'all', 'en' from generate_series(1, 200) n",
    "insert into party (number, name, name_pinyin, created_at, branch_id)"
    " select 'C-' || n, '客户' || n, 'kehu ' || lpad((n * 7919 % 1000003)::text, 7, '0'), now() - n * interval '1 minute', 1 + n % 10 from generate_series(1, :parties) n",
    "insert into contact (party_id, name, branch_id) select id, '王丽华', branch_id from party",
    "insert into party_phone (party_id, raw, e164, digits, kind, branch_id)"
    " select id, n, '+86' || n, '86' || n, 'e164', branch_id from (select id, branch_id, (13800000000 + id * 37)::text as n from party) p",
    "insert into device (number, party_id, name, model, serial, branch_id) select 'DEV-' || n, p.id, '打印机', 'ZT411', 'SN-' || lpad(n::text, 8, '0'), p.branch_id"
    " from generate_series(1, :devices) n join party p on p.id = 1 + n % :parties",
    "insert into ticket (number, party_id, device_id, priority, state, subject, registered_by_id, assignee_id, registered_at, response_due_at, resolve_due_at, branch_id)"
    " select 'SR' || n, d.party_id, d.id, 'normal', (array['registered', 'processing', 'closed', 'closed'])[1 + n % 4], '卡纸', 1, 1 + n % 200,"
    " now() - n * interval '31 seconds', now(), now(), d.branch_id from generate_series(1, :tickets) n join device d on d.id = 1 + (n::bigint * 7919) % :devices",
    "insert into call (switch, call_key, direction, disposition, caller_number, caller_e164, party_id, staff_id, started_at, talk_seconds, live, provenance, revision, stored_at, branch_id)"
    " select 'pbx1', n::text, 'inbound', 'answered', (13800000000 + (1 + n % :parties) * 37)::text, '+86' || (13800000000 + (1 + n % :parties) * 37), 1 + n % :parties, 1 + n % 200,"
    " now() - n * interval '20 seconds', 90, false, 'live', n, now(), 1 + (1 + n % :parties) % 10 from generate_series(1, :calls) n",
    "insert into ledger_item (number, party_id, kind, dated, due_on, amount, posted_at, branch_id)"
    " select 'L' || id, id, 'invoice', current_date - 60, current_date - 30, 100, now(), branch_id from party where id % 3 = 0",
)


@dataclass(frozen=True)
class Question:
    """A list, the parameters of its address, and the same in bare SQL: its first page, and page 500 by OFFSET."""

    name: str
    spec: str
    args: Mapping[str, str]
    bare: str


QUESTIONS = (
    Question("customers", "customers", {}, "select * from party where state <> 'merged' order by name_pinyin, id"),
    Question("customers, newest", "customers", {"sort": "-created"}, "select * from party where state <> 'merged' order by created_at desc, id desc"),
    Question("devices", "devices", {}, "select * from device where state <> 'retired' order by number, id"),
    Question("tickets", "tickets", {"view": "all"}, "select * from ticket order by id desc"),
    Question("tickets, all open", "tickets", {"view": "open"}, "select * from ticket where state in ('registered', 'assigned', 'accepted', 'processing') order by id desc"),
    Question("calls", "calls", {}, "select * from call order by started_at desc, id desc"),
)


def main() -> int:
    """Prints a line a page; the exit code is 0 when each p95 is under the limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    for name, many in (("parties", 200_000), ("devices", 500_000), ("calls", 1_000_000), ("tickets", 500_000)):
        parser.add_argument(f"--{name}", type=int, default=many)
    given = vars(parser.parse_args())
    with books() as made:
        return _measured(made, given)


def _measured(made: Books, given: Mapping[str, int]) -> int:
    database, app = made.database, create_app(made.settings, made.database)
    began = time.perf_counter()
    made.plant(PLANT, given)
    print(", ".join(f"{many:,} {name}" for name, many in given.items()) + f" planted in {time.perf_counter() - began:.0f} s.")
    print(f"{'page':<32}{'asks':>5}{'p50':>8}{'p95':>8}{'branch p95':>12}{'by key':>9}{'ratio':>7}{'OFFSET':>9}{'ratio':>7}   (ms)")
    worst = 0.0
    with app.test_request_context():
        for question in QUESTIONS:
            worst = max(worst, *_lines(database, question, min(DEEP, given["parties"] // SIZE // 2)))
        worst = max(worst, _card(database, given["parties"]))
    print(f"Worst p95 {worst:.1f} ms, limit {LIMIT:.0f} ms.")
    return 0 if worst < LIMIT else 1


def _lines(database: db.Database, question: Question, deep: int) -> Iterator[float]:
    spec = lists.known(question.spec)
    yield _line(database, question, spec, f"{question.name}, page 1", 0)
    yield _line(database, question, spec, f"{question.name}, page {deep}", (deep - 1) * SIZE)


def _line(database: db.Database, question: Question, spec: ListSpec, name: str, beyond: int) -> float:
    times, asks = {}, 0
    for seen in (scope.ALL, scope.Scope((3,))):
        person = _person(seen)
        args = dict(question.args) | _place(person, spec, question, beyond if seen is scope.ALL else beyond // 10)
        with counted(database) as sent:
            _asked(person, spec, args)
        asks = max(asks, len(sent))
        times[seen] = [timed(lambda who=person, what=args: _asked(who, spec, what)) for _round in range(ROUNDS)]  # type: ignore[misc]
    key, offset = _bare(database, question, beyond)
    p50, whole, near = statistics.median(times[scope.ALL]), p95(times[scope.ALL]), p95(times[scope.Scope((3,))])
    print(f"{name:<32}{asks:>5}{p50:>8.1f}{whole:>8.1f}{near:>12.1f}{key:>9.1f}{p50 / key:>6.1f}x{offset:>9.1f}{p50 / offset:>6.1f}x", flush=True)
    return max(whole, near)


def _person(seen: scope.Scope) -> Identity:
    return Identity(1, "员工1", "a1", ("admin",), rules.PERMISSIONS["admin"], seen, 1, "en", "light")


def _asked(person: Identity, spec: ListSpec, args: Mapping[str, str]) -> lists.Page:
    with db.begin(person.scope) as session:
        return lists.page(session, spec, person, args)


def _place(person: Identity, spec: ListSpec, question: Question, beyond: int) -> dict[str, str]:
    """The place that the address of that page carries: found once, as a reader who pages would bring it."""
    if not beyond:
        return {}
    with db.begin(person.scope) as session:
        page = lists.page(session, spec, person, dict(question.args))
        sort = page.asked.sort.sort
        query = spec.rows(session, page.asked.wanted | {"reader": person}) if hasattr(page.asked, "wanted") else None
        assert query is not None and sort is not None
        order: Any = sort
        falling = page.asked.falling
        found = session.execute(
            query.add_columns(order.label("sorted_by"), spec.key.label("row_key"))
            .order_by(order.desc() if falling else order.asc(), spec.key.desc() if falling else spec.key.asc())
            .offset(beyond - 1).limit(1)
        ).first()
    assert found is not None, "the list is shorter than that"
    return {"after": place.written(found[-2], found[-1])}


def _bare(database: db.Database, question: Question, beyond: int) -> tuple[float, float]:
    """The page by the key (its first page, which costs the same), and by OFFSET."""
    with database.owner.connect() as plain:
        key = statistics.median(timed(lambda: plain.execute(text(f"{question.bare} limit {SIZE + 1}")).all()) for _round in range(ROUNDS // 4))
        asked = text(f"{question.bare} offset {beyond} limit {SIZE + 1}")
        return key, statistics.median(timed(lambda: plain.execute(asked).all()) for _round in range(ROUNDS // 4))


def _card(database: db.Database, parties: int) -> float:
    """The card that a pop opens with: customer, contacts, devices with cover, tickets, calls, balance."""
    dice, person, today = random.Random(7), _person(scope.Scope((3,))), datetime.now(UTC).date()
    ids = [1 + 10 * dice.randrange(parties // 10) for _round in range(4 * ROUNDS)]

    def ask(party_id: int) -> object:
        with db.begin(person.scope) as session:
            found = desk.customer(session, party_id, person, today)
        assert found is not None
        return found

    with database.owner.connect() as plain:
        ids = list(plain.scalars(text("select id from party where branch_id = 3 and id = any(:ids)"), {"ids": [one + 1 for one in ids]}))
    with counted(database) as sent:
        ask(ids[0])
    times = [timed(lambda one=one: ask(one)) for one in ids]  # type: ignore[misc]
    bare = (
        "select * from party where id = :p", "select * from contact where party_id = :p", "select * from party_phone where party_id = :p",
        "select * from device where party_id = :p limit 50", "select * from ticket where party_id = :p order by id desc limit 20",
        "select * from call where party_id = :p order by started_at desc limit 6", "select * from ledger_item where party_id = :p",
    )
    with database.owner.connect() as plain:
        key = statistics.median(timed(lambda one=one: [plain.execute(text(part), {"p": one}).all() for part in bare]) for one in ids[:ROUNDS])  # type: ignore[misc]
    p50, near = statistics.median(times), p95(times)
    print(f"{'card of a customer':<32}{len(sent):>5}{p50:>8.1f}{'':>8}{near:>12.1f}{key:>9.1f}{p50 / key:>6.1f}x", flush=True)
    return near


@contextmanager
def counted(database: db.Database) -> Iterator[list[str]]:
    """The statements sent while the block runs."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    event.listen(database.app, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.app, "before_cursor_execute", note)


if __name__ == "__main__":
    sys.exit(main())
