"""Whatever is changed behind our back is named, and nothing else."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from recordings import collect, proof, purge, sealing, vault
from service.calls.shelf import actions, rules
from service.core import db, scope
from service.core.config import Settings
from tests.conftest import AT
from tests.recordings.shelf import DAY, KEY, SOUND, kept, stored_call

File = Callable[..., Path]
LATER = AT + timedelta(days=3)


@pytest.fixture
def chained(shelf: Settings, there: File) -> Settings:
    """Three recordings of one day, in the chain."""
    stored_call()
    for number in (17, 18, 19):
        there(f"{DAY}/1795395600.{number}.1.wav")
    collect.scan(shelf, AT)
    assert len(proof.chain(shelf, LATER)) == 3
    assert list(proof.verify(shelf)) == []
    return shelf


def test_a_day_is_chained_once_and_only_when_it_is_over(chained: Settings) -> None:
    assert proof.chain(chained, LATER) == []
    assert len(proof.chain(chained, LATER + timedelta(days=1))) == 1


def test_a_purge_is_no_break(chained: Settings) -> None:
    purge.outlive(lambda _s: [], AT + timedelta(days=400))
    purge.destroy(chained, LATER)
    assert list(proof.verify(chained)) == []
    proof.chain(chained, LATER + timedelta(days=2))
    assert list(proof.verify(chained)) == []


def test_broken_audio_is_named_each(chained: Settings) -> None:
    first, second, third = kept()
    place = vault.of(chained)
    place.path(first.path).unlink()
    place.path(second.path).write_bytes(place.path(third.path).read_bytes())

    told = list(proof.verify(chained))

    assert len(told) == 2
    assert f"Recording {first.id} has lost its audio" in told[0]
    assert f"Recording {second.id} cannot be opened" in told[1]


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("update recording set sha256 = repeat('0', 64) where segment = 1 and uniqueid like '%.18'", "another hash"),
        ("delete from recording where uniqueid like '%.18'", "no longer in the database"),
        ("update recording_chain set entries = replace(entries, ' kept', ' gone')", "its list was changed"),
        ("delete from recording_chain where day = '2026-11-24'", "does not follow"),
        ("update recording_chain set hash = repeat('1', 64) where day = '2026-11-23'", "does not follow"),
        ("update recording set state = 'destroyed' where uniqueid like '%.18'", "without a line in the log"),
        (
            "insert into recording (switch, uniqueid, segment, path, sha256, bytes, seconds, format, found_at, changed_at, branch_id)"
            " select switch, 'x', 1, path, sha256, bytes, seconds, format, found_at, changed_at, branch_id from recording limit 1",
            "older than the chain and not in it",
        ),
    ],
)
def test_what_was_changed_in_the_database_is_named(chained: Settings, database: db.Database, harm: str, named: str) -> None:
    with database.owner.begin() as connection:
        connection.execute(text(harm))

    assert any(named in sentence for sentence in proof.verify(chained)), list(proof.verify(chained))


def test_a_missing_key_is_the_only_thing_said(chained: Settings) -> None:
    vault.of(chained).key_file.unlink()

    told = list(proof.verify(chained))
    assert len(told) == 1 and "master key" in told[0]


def test_the_hash_of_a_day_is_what_the_documentation_says() -> None:
    entries = rules.listed([(2, "b" * 64, "kept"), (1, "a" * 64, "destroyed")])
    assert entries == f"1 {'a' * 64} destroyed\n2 {'b' * 64} kept\n"
    expected = hashlib.sha256(f"{rules.FIRST}\n2026-11-23\n{entries}".encode()).hexdigest()
    assert rules.linked(rules.FIRST, date(2026, 11, 23), entries) == expected
    assert rules.unlisted(entries) == [(1, "a" * 64, "destroyed"), (2, "b" * 64, "kept")]


def test_old_audio_is_sealed_and_proven_the_same(shelf: Settings, committed_cast: SimpleNamespace) -> None:
    digest, place = hashlib.sha256(SOUND).hexdigest(), vault.of(shelf)
    old = f"v1/{digest[:2]}/{digest}"
    place.path(old).parent.mkdir(parents=True)
    place.path(old).write_bytes(SOUND)
    with db.begin(scope.ALL) as session:
        for segment in (1, 2):
            actions.recording_found(
                session, switch="pbx1", uniqueid=KEY, segment=segment, path=old, sha256=digest, size=len(SOUND),
                seconds=2, form="wav/8000/1", at=AT,
            )  # fmt: skip
    assert list(proof.verify(shelf)) == []

    assert [why for _id, why in sealing.seal(shelf)] == ["", ""]

    assert all(row.path.startswith("v2/") and row.wave for row in kept())
    assert not place.path(old).exists()
    assert list(proof.verify(shelf)) == []
    assert list(sealing.seal(shelf)) == []


def test_what_cannot_be_sealed_is_told_once_and_left(shelf: Settings, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        actions.recording_found(
            session, switch="pbx1", uniqueid=KEY, segment=1, path="v1/aa/" + "a" * 64, sha256="a" * 64, size=9,
            seconds=2, form="wav/8000/1", at=AT,
        )  # fmt: skip

    [(_id, why)] = sealing.seal(shelf)
    assert "No such file" in why
