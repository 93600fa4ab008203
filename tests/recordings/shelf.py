"""What is on the shelf, and the call that its recordings belong to."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from service.calls.model import Recording
from service.calls.shelf.model import RecordingFinding
from service.core import db, scope
from tests import make
from tests.conftest import AT
from tests.recordings.sounds import tone, wav

DAY = "pbx1/2026/11/23"
KEY = "1795395600.17"
SOUND = wav(tone(2.0))
LONG_AGO = AT.timestamp() - 30


def kept() -> list[Recording]:
    """All recordings, whatever became of them."""
    with db.begin(scope.ALL) as session:
        return list(session.scalars(select(Recording).order_by(Recording.id)))


def stored_call(at: datetime | None = None, key: str = KEY, **more: Any) -> int:
    """The call is stored."""
    with db.begin(scope.ALL) as session:
        return make.call(session, at or AT - timedelta(minutes=3), call_key=key, **{"recorded": None} | more).id


def findings() -> list[tuple[str, str, bool]]:
    """Kind, subject, and whether it is still wrong."""
    with db.begin(scope.ALL) as session:
        rows = session.scalars(select(RecordingFinding).order_by(RecordingFinding.id)).all()
        return [(row.kind, row.subject, row.mended_at is None) for row in rows]
