"""Nights run while people write: whatever commits, in whatever order, is in the archive after the last night, and nothing else."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from etl import control, extract, nightly, tables
from service.core import db, scope
from service.core.config import Settings
from service.staff.model import Branch
from tests import make
from tests.conftest import AT
from warehouse import engine

WRITERS, NIGHTS = 4, 3


@dataclass
class Office:
    """People who write until they are told to stop; what went wrong with one of them is kept."""

    database: db.Database
    branch: Branch
    closing: threading.Event = field(default_factory=threading.Event)
    commits: int = 0
    failed: list[BaseException] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._work, args=(random.Random(seed),)) for seed in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.closing.set()
            for thread in threads:
                thread.join(30)

    def _work(self, dice: random.Random) -> None:
        """Transactions that overlap: each writes, waits a while and commits, or thinks better of it."""
        try:
            while not self.closing.is_set():
                with Session(self.database.app) as session, session.begin() as whole:
                    scope.declare(session.connection(), scope.ALL)
                    self._write(session, dice)
                    time.sleep(dice.random() / 50)
                    if dice.random() < 0.1:
                        whole.rollback()
                    else:
                        self.commits += 1
        except BaseException as error:
            self.failed.append(error)

    def _write(self, session: Session, dice: random.Random) -> None:
        """One verb a transaction, or two people could wait for each other for ever."""
        act = dice.random()
        if act < 0.3:
            make.party(session, self.branch)
            make.call(session, AT + timedelta(seconds=dice.randrange(9000)))
        elif act < 0.4:
            party = make.party(session, self.branch)
            paid = make.invoice(session, party, f"{dice.randrange(1, 10**6) / 100:.2f}", date(2026, 11, 1), date(2026, 12, 1), AT)
            make.receipt(session, party, "0.01", date(2026, 11, 20), AT, pays=paid)
        elif act < 0.6:
            session.execute(text("update party set name = name || :more where id = :id"), {"more": "中", "id": some(session, "party", dice)})
        elif act < 0.8:
            session.execute(text("update call set talk_seconds = talk_seconds + 0.001 where id = :id"), {"id": some(session, "call", dice)})
        else:
            session.execute(text("delete from call where id = :id"), {"id": some(session, "call", dice)})


def some(session: Session, table: str, dice: random.Random) -> int | None:
    found: int | None = session.execute(text(f"select id from {table} order by id offset :n limit 1"), {"n": dice.randrange(40)}).scalar()
    return found


@pytest.fixture
def office(committed_cast: SimpleNamespace, clean: db.Database) -> Office:
    with db.begin(scope.ALL, clean.app) as work:
        make.line(work, committed_cast.pudong, "support")
        for number in range(30):
            make.call(work, AT + timedelta(seconds=number))
            make.party(work, committed_cast.pudong)
    return Office(clean, committed_cast.pudong)


def run(settings: Settings) -> nightly.Outcome:
    outcome = nightly.run(settings, slot="2026-11-23", at=AT + timedelta(days=1))
    assert outcome.refused is None, outcome.refused  # the totals of each night are those of its own snapshot
    return outcome


def archive(settings: Settings) -> Path:
    path = engine.current(settings.warehouse_dir)
    assert path is not None
    return path


def parties(settings: Settings) -> dict[int, str]:
    with engine.connect(archive(settings), read_only=True) as connection:
        return dict(engine.rows(connection, "select id, name from raw.party"))  # type: ignore[arg-type]


def differences(settings: Settings) -> list[control.Control]:
    """Counts, sums and the hash of every row of every table, asked of the books as they are now."""
    with nightly.locked(settings) as books, books.cursor() as cursor, engine.connect(archive(settings), read_only=True) as connection:
        extract.freeze(cursor, str(settings.timezone))
        return [one for one in control.compared(connection, cursor, tables.all_tables(cursor), None) if not one.equal]


def ids(settings: Settings, table: str) -> tuple[list[Any], list[Any]]:
    """The rows of the books and of the archive, each with the transaction that wrote it."""
    sql = f"select id, row_xid::varchar from {{}}{table} order by id"
    with nightly.locked(settings) as books, books.cursor() as cursor, engine.connect(archive(settings), read_only=True) as connection:
        cursor.execute(sql.format(""))
        return cursor.fetchall(), engine.rows(connection, sql.format("raw."))


def test_after_the_last_night_the_archive_equals_the_books_row_for_row(office: Office, settings: Settings, tmp_path: Path) -> None:
    own = replace(settings, data=tmp_path)
    run(own)
    slow = Session(office.database.app)  # a low transaction number, written under for the whole time
    with slow:
        scope.declare(slow.connection(), scope.ALL)
        late = make.party(slow, office.branch, "后到").id
        with office.open():
            modes = [run(own).mode for _night in range(NIGHTS)]
        assert late not in parties(own)
        slow.commit()

    modes.append(run(own).mode)

    assert office.failed == [] and office.commits > NIGHTS
    assert set(modes) == {"changes"}
    assert parties(own)[late] == "后到"
    assert differences(own) == []
    for table in ("party", "call", "ledger_item", "ledger_allocation"):
        books, copied = ids(own, table)
        assert books and books == copied


def test_an_id_that_was_deleted_and_used_again_is_kept(office: Office, settings: Settings, tmp_path: Path) -> None:
    own = replace(settings, data=tmp_path)
    run(own)
    slow = Session(office.database.app)  # holds the boundary back, so that the tombstone is read twice
    with slow:
        scope.declare(slow.connection(), scope.ALL)
        make.party(slow, office.branch)
        with db.begin(scope.ALL, office.database.app) as work:
            gone = work.execute(text("select max(id) from party")).scalar_one()
            work.execute(text("delete from party where id = :id"), {"id": gone})
        run(own)
        assert gone not in parties(own)
        with db.begin(scope.ALL, office.database.app) as work:
            make.party(work, office.branch, "又来", id=gone)
        run(own)
        slow.rollback()

    run(own)

    assert parties(own)[gone] == "又来"
    assert differences(own) == []
