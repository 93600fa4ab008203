"""python -m bench.devices [--devices N --tickets N]: what a device's history and its finding by serial cost, beside bare SQL.

The firm is made of invented rows: devices, tickets on them, the devices' own lines, and for the busiest of them hundreds of
calls. Each question is asked in the scope of one branch of ten; what counts is the time from the call to its rows. Bare SQL
is one statement for the owner, without policies: what a report by hand would ask.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from bench.books import Books, books, p95, timed
from service.core import db, scope
from service.desk import history
from service.devices import queries

LIMIT = 100.0  # ms, p95
ROUNDS = 200
PARTIES = 50_000
BUSY = 10  # devices with hundreds of tickets, one a branch
PLANT = (
    "insert into branch (code, name) select 'B' || n, '网点' || n from generate_series(1, 10) n",
    "insert into staff (email, username, active, fs_uniquifier, name, branch_id, reach, locale) values ('a@x', 'a', true, 'u', 'Ada', 1, 'all', 'en')",
    "insert into party (number, name, created_at, branch_id) select 'C-' || n, '客户' || n, now(), 1 + n % 10 from generate_series(1, :parties) n",
    "insert into device (number, party_id, name, model, serial, branch_id) select 'DEV-' || n, p.id, '打印机', 'ZT411', 'SN-' || lpad(n::text, 8, '0'), p.branch_id"
    " from generate_series(1, :devices) n join party p on p.id = 1 + n % :parties",
    "insert into ticket (number, party_id, device_id, priority, state, subject, registered_by_id, registered_at, response_due_at, resolve_due_at, branch_id)"
    " select 'SR' || n, d.party_id, d.id, 'normal', 'closed', '卡纸', 1, now() - n * interval '31 seconds', now(), now(), d.branch_id"
    " from generate_series(1, :tickets) n join device d on d.id = case when n % 100 = 0 then 1 + n / 100 % :busy else 1 + (n::bigint * 7919) % :devices end",
    "insert into device_event (device_id, at, by_id, kind, new, branch_id) select d.id, now() - n * interval '1 hour', 1, 'fitted', '打印头', d.branch_id from device d, generate_series(1, 2) n",
    "insert into call (switch, call_key, direction, disposition, started_at, talk_seconds, live, provenance, revision, stored_at, branch_id)"
    " select 'pbx1', id::text, 'inbound', 'answered', registered_at - interval '1 minute', 90, false, 'live', id, now(), branch_id from ticket where device_id <= :busy",
    "insert into call_alias (switch, uniqueid, call_id, branch_id) select switch, call_key, id, branch_id from call",
    "insert into ticket_call (ticket_id, switch, call_key, linked_at, branch_id) select call_key::bigint, switch, call_key, started_at, branch_id from call",
)


def main() -> int:
    """Prints a line a question; the exit code is 0 when each p95 is under the limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.devices", description=__doc__)
    parser.add_argument("--devices", type=int, default=500_000)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    given = parser.parse_args()
    with books() as made:
        return _measured(made, given.devices, given.tickets)


def _measured(made: Books, devices: int, tickets: int) -> int:
    database = made.database
    began = time.perf_counter()
    made.plant(PLANT, {"parties": PARTIES, "devices": devices, "tickets": tickets, "busy": BUSY})
    print(f"{devices:,} devices, {tickets:,} tickets planted in {time.perf_counter() - began:.0f} s.")
    dice = random.Random(7)
    some = [dice.randrange(BUSY + 1, devices) for _ in range(ROUNDS)]
    busy = [1 + n % BUSY for n in range(ROUNDS)]
    print(f"{'question':<34}{'p50':>8}{'p95':>8}{'SQL p50':>10}{'ratio':>8}   (ms)")
    worst = max(
        _line(database, "history of a device", some, _history, _bare_history),
        _line(database, "history of a busy device", busy, _history, _bare_history),
        _line(database, "a later page of it", busy, _deep, _bare_history),
        _line(database, "found by serial", some, _located, _bare_serial),
    )
    print(f"Worst p95 {worst:.1f} ms, limit {LIMIT:.0f} ms.")
    return 0 if worst < LIMIT else 1


def _history(work: Session, device_id: int) -> object:
    return history.read(work, device_id)


def _deep(work: Session, device_id: int) -> object:
    ago = work.scalar(text("select registered_at from ticket where device_id = :d order by registered_at offset 50 limit 1"), {"d": device_id})
    return history.read(work, device_id, until=(ago, 1, 1) if ago else None)


def _located(work: Session, device_id: int) -> object:
    return queries.located(work, f"sn {device_id:08}")


def _bare_history(plain: Connection, device_id: int) -> object:
    asked = "select registered_at as at, id, subject from ticket where device_id = :d union all select at, id, kind from device_event where device_id = :d order by at desc limit 30"
    return plain.execute(text(asked), {"d": device_id}).all()


def _bare_serial(plain: Connection, device_id: int) -> object:
    return plain.execute(text("select * from device where serial_key = :s"), {"s": f"sn{device_id:08}"}).all()


def _line(
    database: db.Database, name: str, ids: list[int], ours: Callable[[Session, int], object], bare: Callable[[Connection, int], object]
) -> float:
    mine = []
    for device_id in ids:
        with db.begin(scope.Scope((1 + (1 + device_id % PARTIES) % 10,))) as work:
            work.connection()
            mine.append(timed(lambda one=device_id, session=work: ours(session, one)))  # type: ignore[misc]
    with database.owner.connect() as plain:
        theirs = [timed(lambda one=device_id: bare(plain, one)) for device_id in ids]  # type: ignore[misc]
    p50, most, sql = statistics.median(mine), p95(mine), statistics.median(theirs)
    print(f"{name:<34}{p50:>8.1f}{most:>8.1f}{sql:>10.1f}{p50 / sql:>7.1f}x", flush=True)
    return most


if __name__ == "__main__":
    sys.exit(main())
