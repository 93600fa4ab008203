"""A file is brought, its columns are told, and jobs are asked for: check, load, take back. Never commits."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.core import audit, jobs
from service.core.errors import DeskError, Invalid, NotFound
from service.core.intake import files
from service.core.scope import Scope
from service.imports import folder, targets
from service.imports.model import Batch, ImportMapping, ImportRow

CHECK, LOAD, UNDO = "imports.check", "imports.load", "imports.undo"
SAMPLE = 5


class NotNow(DeskError):
    """The batch is not where that could be done with it."""


@dataclass(frozen=True)
class Brought:
    """A file as it was sent."""

    target: str
    file_name: str
    kept: folder.Kept


def bring(session: Session, place: Path, given: Brought, *, by: int, branch_id: int, at: datetime) -> int:
    """The batch exists and its headings are known; returns its id. Raises Unreadable when the file is no table."""
    targets.of(given.target)
    batch = Batch(
        target=given.target, file_name=given.file_name[:200], file=given.kept.name, sha256=given.kept.sha256, bytes=given.kept.bytes,
        by_id=by, created_at=at, branch_id=branch_id,
    )
    _look(batch, place, sheet="", encoding="", head_line=0)
    session.add(batch)
    session.flush()
    batch.mapping = _proposed(session, batch, by)
    session.flush()
    return batch.id


def look_again(session: Session, place: Path, batch: Batch, *, sheet: str, encoding: str, head_line: int) -> None:
    """The file is read as asked: another sheet, another encoding, the headings in another row."""
    _untouched(batch)
    _look(batch, place, sheet=sheet, encoding=encoding, head_line=head_line)
    _unchecked(session, batch)
    batch.mapping = _proposed(session, batch, batch.by_id)
    session.flush()


def check(session: Session, batch: Batch, mapping: Mapping[str, int], *, by: int, within: Scope, at: datetime) -> None:
    """A job checks each row by this mapping, and nothing is loaded yet; the mapping is remembered for such headings."""
    _untouched(batch)
    target = targets.of(batch.target)
    lacking = targets.missing(target, mapping)
    if lacking:
        names = _(", ").join(str(one.head) for one in lacking)
        raise Invalid(_("Say which column has: %(names)s.", names=names), {one.name: _("Choose a column.") for one in lacking})
    twice = [name for name, column in mapping.items() if list(mapping.values()).count(column) > 1]
    if twice:
        raise Invalid(_("One column is chosen for two fields."), {name: _("Another field has this column too.") for name in twice})
    _unchecked(session, batch)
    batch.mapping, batch.state = dict(mapping), "checking"
    _remember(session, batch, by, at)
    session.flush()
    jobs.enqueue(session, CHECK, _args(batch, by, within), at=at, max_attempts=3)


def load(session: Session, batch: Batch, upon: str, *, by: int, within: Scope, at: datetime) -> None:
    """A job loads the good rows; those that are known and differ are left or changed, as `upon` says."""
    _in(batch, "checked")
    _kept(batch)
    if not batch.good:
        raise NotNow(_("No row of this file can be loaded. Mend the rows and bring the file again."))
    batch.state, batch.upon, batch.done, batch.trouble = "loading", "update" if upon == "update" else "skip", 0, None
    session.flush()
    audit.record(session, at=at, by=by, verb="import began", entity="import", entity_id=batch.id, new={"target": batch.target, "file": batch.file_name, "rows": batch.good, "upon": batch.upon}, branch_id=batch.branch_id)
    jobs.enqueue(session, LOAD, _args(batch, by, within), at=at, max_attempts=3)


def undo(session: Session, batch: Batch, *, by: int, within: Scope, at: datetime) -> None:
    """A job takes back what the batch created and changed, all of it or nothing."""
    _in(batch, "loaded", *(("checked",) if _touched(batch) else ()))
    _kept(batch)
    batch.state, batch.trouble = "undoing", None
    session.flush()
    jobs.enqueue(session, UNDO, _args(batch, by, within), at=at, max_attempts=3)


def discard(session: Session, place: Path, batch: Batch) -> None:
    """A batch that loaded nothing is gone, and its file."""
    _untouched(batch)
    session.delete(batch)
    session.flush()
    folder.forget(place, batch.file)


def batch(session: Session, batch_id: int, *, locked: bool = False) -> Batch:
    """The batch, as far as the reader's branches go."""
    found = session.get(Batch, batch_id, with_for_update=locked or None, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such import. Look for it in the list of imports."))
    return found


# ---- inside


def _in(batch: Batch, *states: str) -> None:
    if batch.state not in states:
        raise NotNow(_("This import has moved on meanwhile. Load the page again to see how it stands."))


def _kept(batch: Batch) -> None:
    if not batch.file:
        raise NotNow(_("The rows of this import were kept for a month and are gone. Bring the file again, or change what it brought by hand."))


def _touched(batch: Batch) -> bool:
    return bool(batch.created or batch.updated)


def _untouched(batch: Batch) -> None:
    """A load that was stopped in its midst has to go on, or be taken back, before anything else."""
    _in(batch, *(() if _touched(batch) else ("uploaded", "checked")))


def _look(batch: Batch, place: Path, *, sheet: str, encoding: str, head_line: int) -> None:
    table, target = files.opened(folder.path_of(place, batch.file), sheet=sheet, encoding=encoding), targets.of(batch.target)
    line, heads = files.header(table, lambda cell: targets.knows(target, cell))
    if head_line:
        line, heads = files.header_at(table, head_line)
    batch.sheets, batch.sheet, batch.encoding, batch.head_line, batch.heads = list(table.sheets), table.sheet, table.encoding, line, heads
    batch.sample = [[files.kept(cell)[:200] for cell in cells] for _line, cells in islice(files.body(table, line), SAMPLE)]


def _unchecked(session: Session, batch: Batch) -> None:
    session.execute(delete(ImportRow).where(ImportRow.batch_id == batch.id))
    batch.state, batch.trouble = "uploaded", None
    batch.rows = batch.good = batch.bad = batch.fresh = batch.differing = batch.unchanged = batch.done = 0


def _heads(batch: Batch) -> str:
    return hashlib.sha256(json.dumps(batch.heads, ensure_ascii=False).encode()).hexdigest()


def _proposed(session: Session, batch: Batch, by: int) -> dict[str, int]:
    """What this person chose for such headings the last time, else what the headings say."""
    known = select(ImportMapping.mapping).where(ImportMapping.staff_id == by, ImportMapping.target == batch.target, ImportMapping.heads == _heads(batch))
    remembered = session.scalars(known).first()
    names = {one.name for one in targets.of(batch.target).fields}
    if remembered:
        return {name: column for name, column in remembered.items() if name in names and column < len(batch.heads)}
    return targets.matched(targets.of(batch.target), batch.heads)


def _remember(session: Session, batch: Batch, by: int, at: datetime) -> None:
    new = insert(ImportMapping).values(staff_id=by, target=batch.target, heads=_heads(batch), mapping=batch.mapping, at=at, branch_id=batch.branch_id)
    unique = ["staff_id", "target", "heads"]
    session.execute(new.on_conflict_do_update(index_elements=unique, set_={"mapping": new.excluded.mapping, "at": new.excluded.at}))


def _args(batch: Batch, by: int, within: Scope) -> dict[str, object]:
    return {"batch": batch.id, "by": by, "branches": list(within.branches) if within.branches is not None else None}
