"""The jobs: rows are checked and loaded in pieces, a transaction each, so that a kill loses one piece and doubles nothing.

A load hands its worker back after a while and asks for the next turn, so that other jobs are not kept waiting.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Row as Record
from sqlalchemy import Select, select, text, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from service.core import audit, clock, db, jobs, scope
from service.core.errors import DeskError
from service.core.intake import files, sql, values
from service.core.intake.target import Finding, Into, Row, Target, differs
from service.core.intake.unreadable import Unreadable
from service.core.scope import Scope
from service.imports import actions, folder, targets
from service.imports.model import Batch, ImportRow

log = logging.getLogger(__name__)
PIECE = 500
TURN = 30.0  # seconds after which a load lets others have the worker
ROW_TYPES = {"batch_id": "bigint", "line": "integer", "state": "text", "key": "text", "content": "jsonb", "raw": "jsonb", "wrong": "jsonb", "entity_id": "bigint", "branch_id": "bigint"}
REFUSALS = (IntegrityError, DataError, DeskError)
T = TypeVar("T")


@dataclass(frozen=True)
class Turn:
    """One turn of a job: the batch, for whom, and how far they see."""

    batch_id: int
    by: int
    within: Scope

    @classmethod
    def of(cls, args: dict[str, Any]) -> "Turn":
        """As the job's row says."""
        branches = args.get("branches")
        return cls(args["batch"], args["by"], Scope(None if branches is None else tuple(branches)))

    def into(self, batch: Batch) -> Into:
        """Where rows go."""
        return Into(batch.branch_id, self.by, clock.now(), self.within.branches)


# ---- check


def check_job(place: Path, args: dict[str, Any]) -> None:
    """Each row is known to be good or bad, and what loading would do; nothing outside the batch has changed."""
    turn = Turn.of(args)
    with db.begin(turn.within) as session:
        batch = session.get(Batch, turn.batch_id)
        if batch is None or batch.state != "checking":
            return
        done, sheet, encoding, head, name = batch.done or batch.head_line, batch.sheet, batch.encoding, batch.head_line, batch.file
    try:
        table = files.opened(folder.path_of(place, name), sheet=sheet, encoding=encoding)
        rows = (row for row in files.body(table, head) if row[0] > done)
        for piece in _pieces(rows, PIECE):
            if not _check_piece(turn, piece):
                return
    except Unreadable as wrong:
        _stopped(turn, "checking", "uploaded", {"code": wrong.code, "facts": dict(wrong.facts)})
        return
    _stopped(turn, "checking", "checked", None)


def _check_piece(turn: Turn, piece: Sequence[tuple[int, list[str]]]) -> bool:
    """These rows are written down; False when the batch is no longer being checked, or somebody else got there first."""
    with db.begin(turn.within) as session:
        batch = session.get(Batch, turn.batch_id, with_for_update=True)
        if batch is None or batch.state != "checking":
            return False
        piece = [row for row in piece if row[0] > batch.done]
        if not piece:
            return True
        target = targets.now(session, batch.target)
        rows = [_read(target, batch.mapping, line, cells) for line, cells in piece]
        _twice(session, batch.id, target, rows)
        target.find(session, [row for row in rows if not _hopeless(row)], turn.into(batch))
        changed = _changes(session, target, rows)
        _count_checked(batch, rows, changed)
        raws = {line: [files.kept(cell) for cell in cells[: len(batch.heads)]] for line, cells in piece}
        sql.insert(session, "import_row", ROW_TYPES, [_record(batch, target, row, raws) for row in rows])
        batch.done = piece[-1][0]
        return True


def _read(target: Target, mapping: dict[str, int], line: int, cells: list[str]) -> Row:
    row = Row(line, {})
    for one in target.fields:
        if one.name not in mapping:
            continue
        column = mapping[one.name]
        value, wrong = values.read(one, files.kept(cells[column]) if column < len(cells) else "")
        if wrong:
            row.wrong.append(wrong)
        elif value is not None:
            row.values[one.name] = value
    return row


def _hopeless(row: Row) -> bool:
    """A row that says the same as another is not looked at further."""
    return any(one.code == "twice" for one in row.wrong)


def _twice(session: Session, batch_id: int, target: Target, rows: Sequence[Row]) -> None:
    """Of rows that mean one thing the first counts."""
    keys = {row.line: target.key(row.values)[:400] for row in rows}
    known = select(ImportRow.key, ImportRow.line).where(ImportRow.batch_id == batch_id, ImportRow.key.in_({key for key in keys.values() if key}))
    first = {record.key: record.line for record in session.execute(known)}
    for row in rows:
        key = keys[row.line]
        if not key or any(one.code == "missing" for one in row.wrong):
            continue
        if key in first:
            row.wrong.append(Finding(_named(target, row), "twice", "", {"line": first[key]}))
        else:
            first[key] = row.line


def _named(target: Target, row: Row) -> str:
    """The field that says what the row means: its number or serial, else the first that is filled in."""
    said = [one for one in target.fields if row.values.get(one.name)]
    return next((one.name for one in said if one.kind == "code"), next((one.name for one in said), target.fields[0].name))


def _changes(session: Session, target: Target, rows: Sequence[Row]) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """By line, for rows of known things: the values that differ, and what stands there now."""
    found = [row for row in rows if row.entity_id and not row.wrong]
    there = target.current(session, {row.entity_id: row.values for row in found if row.entity_id})
    return {row.line: (differs(target, there[row.entity_id], row.values), there[row.entity_id]) for row in found if row.entity_id in there}


def _count_checked(batch: Batch, rows: Sequence[Row], changed: dict[int, tuple[dict[str, Any], dict[str, Any]]]) -> None:
    batch.rows += len(rows)
    batch.bad += sum(bool(row.wrong) for row in rows)
    batch.good += sum(not row.wrong for row in rows)
    batch.fresh += sum(not row.wrong and not row.entity_id for row in rows)
    batch.differing += sum(bool(new) for new, _old in changed.values())


def _record(batch: Batch, target: Target, row: Row, raws: dict[int, list[str]]) -> dict[str, Any]:
    return {
        "batch_id": batch.id, "line": row.line, "state": "bad" if row.wrong else "good", "key": "" if _hopeless(row) else target.key(row.values)[:400], "content": row.values,
        "raw": raws[row.line] if row.wrong else None, "wrong": _told(row.wrong), "entity_id": row.entity_id, "branch_id": batch.branch_id,
    }


def _told(wrong: Sequence[Finding]) -> list[dict[str, Any]] | None:
    return [vars(one) | {"facts": dict(one.facts)} for one in wrong] or None


# ---- load


def load_job(args: dict[str, Any]) -> None:
    """The good rows are loaded, or the next turn of it is asked for."""
    turn, begin = Turn.of(args), monotonic()
    while True:
        if not _load_some(turn):
            return
        if monotonic() - begin > TURN:
            with db.begin(turn.within) as session:
                jobs.enqueue(session, actions.LOAD, args, at=clock.now(), max_attempts=3)
            return


def _load_some(turn: Turn) -> bool:
    """A piece is loaded in one transaction; where PostgreSQL or a rule refuses it, row by row, so that one row spoils no other."""
    try:
        with db.begin(turn.within) as session:
            return load_piece(session, turn)
    except REFUSALS:
        return all(_load_one(turn) for _ in range(PIECE))


def _load_one(turn: Turn) -> bool:
    line = None
    try:
        with db.begin(turn.within) as session:
            session.get(Batch, turn.batch_id, with_for_update=True)
            line = session.scalars(_good(turn.batch_id, 1).with_only_columns(ImportRow.line)).first()
            return load_piece(session, turn, 1)
    except REFUSALS as error:
        log.warning("imports: a row of batch %s was refused: %s", turn.batch_id, type(error).__name__)
        with db.begin(turn.within) as session:
            return _refuse(session, turn, line, error.message if isinstance(error, DeskError) else "")


def _refuse(session: Session, turn: Turn, line: int | None, why: str) -> bool:
    """That row has failed, unless somebody else has settled it meanwhile; False when the batch is no longer being loaded."""
    batch = session.get(Batch, turn.batch_id, with_for_update=True)
    if batch is None or batch.state != "loading" or line is None:
        return False
    if session.scalars(_good(turn.batch_id, 1).where(ImportRow.line == line)).first():
        finding = Finding(targets.of(batch.target).fields[0].name, "refused", "", {"why": why})
        _write_down(session, batch, [Outcome(line, "failed", wrong=_told([finding]))])
    return True


def _good(batch_id: int, most: int) -> Select[Any]:
    """The next rows that are to be loaded."""
    return select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.state == "good").order_by(ImportRow.line).limit(most)


def load_piece(session: Session, turn: Turn, most: int = PIECE) -> bool:
    """The next good rows are loaded, each exactly once; False when there are none left, and then the batch is loaded."""
    batch = session.get(Batch, turn.batch_id, with_for_update=True)
    if batch is None or batch.state != "loading":
        return False
    records = session.scalars(_good(batch.id, most)).all()
    if not records:
        _loaded(session, batch, turn)
        return False
    target, into = targets.of(batch.target), turn.into(batch)
    rows = [Row(record.line, record.content) for record in records]
    target.find(session, rows, into)
    outcome = _carry_out(session, target, batch, rows, into)
    _write_down(session, batch, outcome)
    batch.done = records[-1].line
    return True


@dataclass
class Outcome:
    """What became of one row."""

    line: int
    state: str
    entity_id: int | None = None
    old: dict[str, Any] | None = None
    made: dict[str, list[int]] | None = None
    wrong: list[dict[str, Any]] | None = None


def _carry_out(session: Session, target: Target, batch: Batch, rows: Sequence[Row], into: Into) -> list[Outcome]:
    changed = _changes(session, target, rows)
    fresh = [row for row in rows if not row.wrong and not row.entity_id]
    differing = [row for row in rows if row.line in changed and changed[row.line][0]]
    made = target.create(session, fresh, into) if fresh else []
    outcome = [Outcome(row.line, "failed", wrong=_told(row.wrong)) for row in rows if row.wrong]
    outcome += [Outcome(row.line, "unchanged", row.entity_id) for row in rows if row.line in changed and not changed[row.line][0]]
    taken = _told([Finding(_named(target, fresh[0]), "taken")]) if fresh else None
    outcome += [Outcome(row.line, "created", one.entity_id, made=one.rows) if one else Outcome(row.line, "failed", wrong=taken) for row, one in zip(fresh, made, strict=True)]
    outcome += _updated(session, target, differing, changed, into) if batch.upon == "update" else [Outcome(row.line, "skipped", row.entity_id) for row in differing]
    touched = [one.entity_id for one in outcome if one.entity_id and one.state in ("created", "updated")]
    if touched:
        target.index(session, touched)
    return outcome


def _updated(session: Session, target: Target, rows: Sequence[Row], changed: dict[int, tuple[dict[str, Any], dict[str, Any]]], into: Into) -> list[Outcome]:
    if not rows:
        return []
    added = {one.name for one in target.fields if one.adds}
    asked = {row.entity_id: row.values for row in rows if row.entity_id}
    made = target.update(session, {row.entity_id: changed[row.line][0] for row in rows if row.entity_id}, into, asked)
    return [
        Outcome(row.line, "updated", row.entity_id, {name: changed[row.line][1].get(name) for name in changed[row.line][0] if name not in added}, made.get(row.entity_id or 0))
        for row in rows
    ]


_WRITE_DOWN = text("""
    update import_row set state = given.state, entity_id = given.entity_id, old = given.old, made = given.made, wrong = given.wrong
    from jsonb_to_recordset(cast(:rows as jsonb)) as given(line integer, state text, entity_id bigint, old jsonb, made jsonb, wrong jsonb)
    where import_row.batch_id = :batch and import_row.line = given.line
""")


def _write_down(session: Session, batch: Batch, outcome: Sequence[Outcome]) -> None:
    session.execute(_WRITE_DOWN, {"rows": json.dumps([vars(one) for one in outcome], ensure_ascii=False), "batch": batch.id})
    counts = Counter(one.state for one in outcome)
    for state in ("created", "updated", "unchanged", "skipped", "failed"):
        setattr(batch, state, getattr(batch, state) + counts[state])


def _loaded(session: Session, batch: Batch, turn: Turn) -> None:
    now = clock.now()
    batch.state, batch.loaded_at = "loaded", now
    told = {name: getattr(batch, name) for name in ("target", "file_name", "created", "updated", "unchanged", "skipped", "failed")}
    audit.record(session, at=now, by=turn.by, verb="imported", entity="import", entity_id=batch.id, new=told, branch_id=batch.branch_id)


# ---- take back


def undo_job(args: dict[str, Any]) -> None:
    """All that the batch created is gone and what it changed is as before; or nothing of it, and the batch says what is in use."""
    turn = Turn.of(args)
    with db.begin(turn.within) as session:
        batch = session.get(Batch, turn.batch_id, with_for_update=True)
        if batch is None or batch.state != "undoing":
            return
        trouble = _in_use(session, turn, batch)
        if trouble:
            batch.state, batch.trouble = _former(batch), trouble
            return
        target, into = targets.of(batch.target), turn.into(batch)
        left = _restore(session, target, _records(session, batch, "updated"), into)
        _remove(session, target, _records(session, batch, "created"))
        session.execute(update(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.state.in_(("created", "updated"))).values(state="undone"))
        batch.state, batch.undone_at, batch.trouble = "undone", into.at, {"code": "left", "facts": {"number": left}} if left else None
        audit.record(session, at=into.at, by=turn.by, verb="import undone", entity="import", entity_id=batch.id, new={"created": batch.created, "updated": batch.updated - left}, branch_id=batch.branch_id)


def _former(batch: Batch) -> str:
    """Where a batch stands that is not taken back: what is good in a half-loaded one can still come."""
    return "loaded" if batch.loaded_at else "checked"


def _records(session: Session, batch: Batch, state: str) -> Sequence[Record[Any]]:
    wanted = select(ImportRow.entity_id, ImportRow.content, ImportRow.old, ImportRow.made).where(ImportRow.batch_id == batch.id, ImportRow.state == state)
    return session.execute(wanted.order_by(ImportRow.line)).all()


def _made(records: Sequence[Record[Any]]) -> dict[str, list[int]]:
    """Every row that was written, by table."""
    found: dict[str, list[int]] = {}
    for record in records:
        for table, ids in (record.made or {}).items():
            found.setdefault(table, []).extend(ids)
    return found


def _in_use(session: Session, turn: Turn, batch: Batch) -> dict[str, Any] | None:
    """What refers to rows that would go, wherever it stands: branches that the person does not see count too."""
    target = targets.of(batch.target)
    made = _made([*_records(session, batch, "created"), *_records(session, batch, "updated")])
    found: Counter[str] = Counter()
    with db.begin(scope.ALL) as everywhere:
        for table in target.tables:
            if made.get(table):
                found.update(sql.uses(everywhere, table, made[table], made, target.clears))
    return {"code": "in_use", "facts": dict(found)} if found else None


def _restore(session: Session, target: Target, records: Sequence[Record[Any]], into: Into) -> int:
    """Values that nobody has changed since are as before; returns how many things keep a later change."""
    asked = {record.entity_id: record.content for record in records}
    there = target.current(session, asked)
    back, left = {}, 0
    for record in records:
        now = there.get(record.entity_id, {})
        if all(now.get(name) == record.content.get(name) for name in record.old or {}):
            back[record.entity_id] = dict(record.old or {})
        else:
            left += 1
    if back:
        target.update(session, back, into, {entity_id: asked[entity_id] for entity_id in back})
    _take_off(session, target, _made([record for record in records if record.entity_id in back]))
    if back:
        target.index(session, list(back))
    return left


def _remove(session: Session, target: Target, records: Sequence[Record[Any]]) -> None:
    ids = [record.entity_id for record in records]
    finish = target.forget(session, ids)
    for table, column in target.clears:
        sql.delete(session, table, ids, column)
    _take_off(session, target, _made(records))
    finish()


def _take_off(session: Session, target: Target, made: dict[str, list[int]]) -> None:
    for table in target.tables:
        if made.get(table):
            sql.delete(session, table, made[table])


# ---- all of them


def _stopped(turn: Turn, during: str, state: str, trouble: dict[str, Any] | None) -> None:
    with db.begin(turn.within) as session:
        batch = session.get(Batch, turn.batch_id, with_for_update=True)
        if batch is not None and batch.state == during:
            batch.state, batch.trouble, batch.done = _former(batch) if during == "undoing" else state, trouble, 0


def _pieces(rows: Iterator[T], most: int) -> Iterator[list[T]]:
    while piece := list(islice(rows, most)):
        yield piece


def guarded(job: Callable[[dict[str, Any]], None], during: str, back: str) -> Callable[[dict[str, Any]], None]:
    """The job; if it fails for good the batch says so and stands where it can be tried again."""

    def run(args: dict[str, Any]) -> None:
        try:
            job(args)
        except Exception:
            log.exception("imports: batch %s stopped", args.get("batch"))
            _stopped(Turn.of(args), during, back, {"code": "fault", "facts": {}})

    return run
