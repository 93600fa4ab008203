"""How long does an import take, beside a bare COPY of the same rows, and how much memory?

    python -m bench.imports [ROWS] [parties|devices]

Reads an xlsx, checks it and loads it as the jobs do, in a database of its own; then copies the same rows into a table of the same
shape with nothing else. Prints rows a second, the ratio, and the peak memory of this process.
"""

import csv
import io
import resource
import sys
import time
from pathlib import Path

import psycopg2
import xlsxwriter
from sqlalchemy import text

from bench.books import Books, books
from service.core import clock, db, jobs, scope
from service.imports import actions, folder
from service.imports.actions import Brought
from service.imports.model import Batch
from service.wire import wire

HEADS = {
    "parties": ("客户名称", "联系人", "电话", "地址", "账期", "合同到期"),
    "devices": ("客户", "设备名称", "型号", "序列号", "设备类型", "安装位置", "质保到期"),
}
CUSTOMERS = 500


def row(target: str, number: int) -> tuple[object, ...]:
    if target == "parties":
        return f"苏州精工机械第{number}分公司", f"张{number}", f"138{number:08d}", f"苏州工业园区星湖街{number}号", 30, "2027-06-30"
    return f"客户第{number % CUSTOMERS}号", "条码打印机", "Zebra ZT411", f"SN{number:07d}", "打印机", f"{number % 30} 楼", "2027/2/28"


def book(path: Path, target: str, rows: int) -> None:
    made = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    page = made.add_worksheet()
    page.write_row(0, 0, HEADS[target])
    for number in range(rows):
        page.write_row(number + 1, 0, row(target, number))
    made.close()


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def worked() -> float:
    begin, worker = time.monotonic(), jobs.Worker(db.bound(), "bench")
    while worker.step():
        pass
    return time.monotonic() - begin


def bring(place: Path, path: Path, target: str, by: int, branch_id: int) -> int:
    with path.open("rb") as file, db.begin(scope.ALL) as session:
        return actions.bring(session, place, Brought(target, path.name, folder.keep(place, file)), by=by, branch_id=branch_id, at=clock.now())


def imported(place: Path, path: Path, target: str, by: int, branch_id: int) -> tuple[float, float, Batch]:
    begin = time.monotonic()
    batch_id = bring(place, path, target, by, branch_id)
    read = time.monotonic() - begin
    with db.begin(scope.ALL) as session:
        batch = actions.batch(session, batch_id)
        actions.check(session, batch, batch.mapping, by=by, within=scope.ALL, at=clock.now())
    checked = read + worked()
    with db.begin(scope.ALL) as session:
        actions.load(session, actions.batch(session, batch_id), "skip", by=by, within=scope.ALL, at=clock.now())
    loaded = worked()
    with db.begin(scope.ALL) as session:
        return checked, loaded, actions.batch(session, batch_id)


def copied(dsn: str, target: str, rows: int) -> float:
    begin = time.monotonic()
    text = io.StringIO()
    writer = csv.writer(text)
    for number in range(rows):
        writer.writerow(row(target, number))
    text.seek(0)
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("create table bare (" + ", ".join(f"c{at} text" for at in range(len(HEADS[target]))) + ")")
        cursor.copy_expert("copy bare from stdin csv", text)
    return time.monotonic() - begin


def main(rows: int, target: str) -> None:
    with books() as made:
        wire(made.settings)
        measure(made, rows, target)


def measure(made: Books, rows: int, target: str) -> None:
    with db.begin(scope.ALL) as session:
        branch_id = session.scalar(text("insert into branch (code, name) values ('HQ', '总部') returning id")) or 0
        by = session.scalar(text(
            "insert into staff (email, username, active, fs_uniquifier, name, branch_id) values ('b@b', 'bench', true, 'b', 'Bench', :b) returning id"), {"b": branch_id}) or 0
    home, place, path = made.folder, made.settings.imports_dir, made.folder / "rows.xlsx"
    if target == "devices":
        customers = home / "customers.csv"
        customers.write_text("客户名称\n" + "\n".join(f"客户第{n}号" for n in range(CUSTOMERS)))
        imported(place, customers, "parties", by, branch_id)
    book(path, target, rows)
    before = peak()
    checked, loaded, batch = imported(place, path, target, by, branch_id)
    bare = copied(db.raw_dsn(made.settings.dsn_owner), target, rows)
    print(f"{target}: {rows:,} rows ({path.stat().st_size >> 10} kB xlsx): created {batch.created:,}, bad {batch.bad}, failed {batch.failed}")
    print(f"  read and checked {checked:6.1f} s  {rows / checked:8,.0f} rows/s")
    print(f"  loaded           {loaded:6.1f} s  {rows / loaded:8,.0f} rows/s  (search index, numbers and row history included)")
    print(f"  bare COPY        {bare:6.1f} s  {rows / bare:8,.0f} rows/s  -> loading takes {loaded / bare:.0f} times as long, all {(checked + loaded) / bare:.0f} times")
    print(f"  peak memory {peak()} MB ({before} MB before)")
    checked, loaded, batch = imported(place, path, target, by, branch_id)
    print(f"  the same file again: {checked + loaded:.1f} s, unchanged {batch.unchanged:,}, created {batch.created}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000, sys.argv[2] if len(sys.argv) > 2 else "devices")
