"""Batches and rows as the screens and downloads show them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.imports import folder
from service.imports.model import Batch, ImportRow

SHOWN = 100
KEPT = timedelta(days=30)  # so long files lie there and batches can be taken back
STALE = timedelta(hours=12)


def batches(session: Session, kinds: Collection[str], *, before: int | None = None, limit: int = 20) -> Sequence[Batch]:
    """The latest imports of these kinds, those below an id when it is given."""
    wanted = select(Batch).where(Batch.target.in_(kinds)).order_by(Batch.id.desc()).limit(limit)
    return session.scalars(wanted.where(Batch.id < before) if before else wanted).all()


def wrong_rows(session: Session, batch_id: int, limit: int = SHOWN) -> Sequence[ImportRow]:
    """The first rows that are bad or have failed, in the order of the file."""
    return session.scalars(_wrong(batch_id).limit(limit)).all()


def all_wrong(session: Session, batch_id: int) -> Iterator[ImportRow]:
    """Every row that is bad or has failed, read in pieces."""
    last = 0
    while rows := session.scalars(_wrong(batch_id).where(ImportRow.line > last).limit(1000)).all():
        yield from rows
        last = rows[-1].line
        session.expunge_all()


def links(session: Session, batch_id: int, limit: int = 10) -> Sequence[ImportRow]:
    """The first things that the batch created or changed."""
    wanted = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.state.in_(("created", "updated")))
    return session.scalars(wanted.order_by(ImportRow.line).limit(limit)).all()


def created(session: Session, batch_id: int) -> list[int]:
    """Ids of the things that the batch created."""
    return [one for one in session.scalars(select(ImportRow.entity_id).where(ImportRow.batch_id == batch_id, ImportRow.state == "created").order_by(ImportRow.line)) if one]


def loaded_before(session: Session, batch: Batch) -> Batch | None:
    """An earlier batch that loaded this very file."""
    same = select(Batch).where(Batch.sha256 == batch.sha256, Batch.target == batch.target, Batch.id < batch.id, Batch.state == "loaded")
    return session.scalars(same.order_by(Batch.id.desc()).limit(1)).first()


def sweep(place: Path, session: Session, *, at: datetime) -> None:
    """Files and rows of old batches are gone; the batches themselves stay as a list of what was done."""
    old = session.scalars(select(Batch).where(Batch.created_at < at - KEPT, Batch.file != "")).all()
    for batch in old:
        folder.forget(place, batch.file)
        batch.file, batch.sample = "", []
        session.execute(delete(ImportRow).where(ImportRow.batch_id == batch.id))


def _wrong(batch_id: int):  # type: ignore[no-untyped-def]
    return select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.state.in_(("bad", "failed"))).order_by(ImportRow.line)
