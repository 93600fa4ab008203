"""The store takes news that it knows for old, whatever a journal that is re-read from the midst of a call makes of it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import make
from tests.conftest import AT


def test_the_same_revision_again_changes_nothing(session: Session, cast: object) -> None:
    whole = make.call(session, AT, call_key="100.5", revision=9, queue="support", disposition="answered")
    again = make.call(session, AT, call_key="100.5", revision=9, queue=None, disposition="lost")

    assert again == whole
    rows = session.execute(text("select queue, disposition from call")).all()
    assert [tuple(row) for row in rows] == [("support", "answered")]
