"""A switch's files fill the books: from nothing, after a gap, twice, through rotation, and without standing in anybody's way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text, update

from service.calls import actions
from service.calls.model import Call
from service.core import db, jobs, scope
from service.core.config import Settings, SwitchSettings
from telephony import backfill
from telephony.backfill import Busy, NoFiles, Outcome
from tests import make
from tests.telephony import written
from tests.telephony.test_retelling import truths

AT = written.LONG_AFTER
FIRST = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def place(settings: Settings, committed_cast: SimpleNamespace, tmp_path: Path) -> Settings:
    """A switch whose files lie here."""
    files = written.laid(tmp_path / "log")
    switch = SwitchSettings(name="pbx1", files_timezone="UTC", **files)  # type: ignore[arg-type]
    return replace(settings, data=tmp_path, switches=(switch,))


def run(place: Settings, **more: Any) -> Outcome:
    return backfill.run(place, place.switches[0], **{"why": "by hand", "at": AT, "since": FIRST} | more)


def rows(statement: str) -> list[Any]:
    with db.begin(scope.ALL) as session:
        return [tuple(row) for row in session.execute(text(statement)).all()]


EVERYTHING = """
    select to_jsonb(c) - 'id' from call c union all select to_jsonb(l) - 'id' from call_leg l
    union all select to_jsonb(s) - 'id' from call_segment s union all select to_jsonb(t) - 'id' from call_transfer t
    union all select to_jsonb(a) - 'id' from call_alias a order by 1"""


def test_books_that_are_empty_are_full_and_a_second_run_writes_nothing(place: Settings) -> None:
    first = run(place)
    before = rows(EVERYTHING)

    second = run(place)

    assert (first.found, first.mended) == (first.calls, 0) and first.calls > 90
    assert (second.found, second.mended) == (0, 0)
    assert rows(EVERYTHING) == before
    assert rows("select count(distinct call_key) = count(*), bool_and(provenance = 'backfilled') from call") == [(True, True)]


def test_derived_anew_from_nothing_each_row_is_the_same(place: Settings, clean: db.Database) -> None:
    plain = "select to_jsonb(c) - 'id' - 'row_xid' - 'party_id' - 'contact_id' - 'branch_id' - 'staff_id' - 'missed_caller_id' from call c order by call_key"
    run(place)
    before = rows(plain)
    with db.begin(scope.ALL) as session:
        session.execute(text("delete from call"))
        session.execute(text("delete from missed_caller"))
        session.execute(text("delete from feed_cursor"))

    run(place)

    assert rows(plain) == before


def test_a_gap_is_filled_and_what_was_concluded_in_it_corrected(place: Settings) -> None:
    true = truths("further-22/refer-blind")[0]
    key = true["linkedid"]
    began = datetime.fromtimestamp(float(key), UTC)
    with db.begin(scope.ALL) as session:
        make.call(session, began, call_key=key, provenance="repaired", end_certain=False, disposition="lost", answered_by=None,
                  started_at=began, ended_at=began + timedelta(seconds=2), hangup_by=None)
        actions.gap_began(session, "pbx1", at=began + timedelta(seconds=1), reason="connection lost")
        actions.gap_ended(session, "pbx1", at=began + timedelta(minutes=30))

    done = run(place, since=None, why="after a gap")

    assert (done.filled, done.mended) == (1, 1)
    assert done.found > 30
    assert rows(f"select disposition, answered_by, hangup_by, end_certain, provenance from call where call_key = '{key}'") == [
        (true["disposition"], true["answered_by"], true["hangup_by"], True, "backfilled")]
    assert rows(f"select how, extension, target from call_transfer t join call c on c.id = t.call_id where call_key = '{key}'") == [
        ("blind", true["transfers"][0]["by"], true["transfers"][0]["to"])]
    assert rows("select filled_at is not null from feed_gap") == [(True,)]


def test_a_call_that_began_long_before_the_gap_is_read_whole(place: Settings) -> None:
    """It was up when the switch fell silent; its first line is older than the overlap."""
    key = truths("further-22/refer-blind")[0]["linkedid"]
    began = datetime.fromtimestamp(float(key), UTC)
    gap = began + timedelta(minutes=25)
    with db.begin(scope.ALL) as session:
        make.call(session, began, call_key=key, end_certain=False, disposition="lost", started_at=began, ended_at=gap)
        actions.gap_began(session, "pbx1", at=gap, reason="connection lost")
        actions.gap_ended(session, "pbx1", at=gap + timedelta(minutes=1))

    run(place, since=None)

    assert rows(f"select provenance from call where call_key = '{key}'") == [("backfilled",)]


def test_the_next_run_reads_on_where_the_last_one_stopped(place: Settings) -> None:
    path = place.switches[0].files["cel"]
    whole = written.data("22", "cel")
    half = whole.rfind(b"\n", 0, len(whole) // 2) + 1
    path.write_bytes(whole[: half + 30])  # a torn end
    cut = float(whole[half:].split(b'","', 2)[1])
    first = run(place, at=datetime.fromtimestamp(cut, UTC))
    path.write_bytes(whole)

    second = run(place, since=None)

    assert second.records < 0.8 * (first.records + second.records)
    assert first.found + second.found == len(rows("select 1 from call"))
    assert {key for (key,) in rows("select call_key from call")} == set(written.calls(written.rows("22")))


def test_a_file_that_is_away_is_told_and_leaves_the_gap_open(place: Settings) -> None:
    place.switches[0].files["queue_log"].unlink()
    with db.begin(scope.ALL) as session:
        actions.gap_began(session, "pbx1", at=AT - timedelta(days=3), reason="connection lost")
        actions.gap_ended(session, "pbx1", at=AT - timedelta(days=2))

    done = run(place)

    assert "queue_log" in done.note and done.filled == 0
    assert rows("select filled_at from feed_gap") == [(None,)]
    assert rows("select count(*) from feed_cursor") == [(2,)]


def test_no_file_at_all_is_a_sentence(place: Settings) -> None:
    for path in place.switches[0].files.values():
        path.unlink()
    with pytest.raises(NoFiles, match="cannot be read"):
        run(place)
    with pytest.raises(NoFiles, match="Name cel, queue_log and cdr"):
        backfill.run(place, SwitchSettings(), why="by hand", at=AT)
    assert rows("select state from backfill_run") == [("failed",)]


def test_two_runs_at_once_are_refused(place: Settings) -> None:
    from service.core.single import Single
    other = Single(db.raw_dsn(place.dsn_app), "backfill pbx1")
    assert other.held()
    try:
        with pytest.raises(Busy):
            run(place)
    finally:
        other.release()


HEARD = "update call set provenance = 'live', derivation = null, end_certain = true, talk_seconds = 99"


def heard(place: Settings, key: str, but: str) -> None:
    """The call is in the books as if it had been heard whole, but for that."""
    run(place)
    with db.begin(scope.ALL) as session:
        session.execute(text(f"{HEARD}{but} where call_key = '{key}'"))


def test_a_call_that_is_heard_whole_meanwhile_is_left_alone(place: Settings) -> None:
    key = truths("further-22/two-callers")[0]["linkedid"]
    heard(place, key, "")
    run(place)
    assert rows(f"select talk_seconds, provenance from call where call_key = '{key}'") == [(99, "live")]


@pytest.mark.parametrize("but", [", disposition = 'busy'", ", answered_by = '1004'", ", queue = null", ", caller_number = '+49301234'"])
def test_a_call_that_was_heard_with_another_outcome_than_was_written_is_corrected(place: Settings, but: str) -> None:
    key = truths("further-22/two-callers")[0]["linkedid"]
    heard(place, key, but)
    done = run(place)
    assert (done.found, done.mended) == (0, 1)
    assert rows(f"select disposition, provenance from call where call_key = '{key}'") == [("answered", "backfilled")]
    assert run(place).mended == 0


def test_a_way_of_passing_on_that_was_not_heard_is_corrected(place: Settings) -> None:
    key = truths("further-22/park-fetch")[0]["linkedid"]
    heard(place, key, "")
    with db.begin(scope.ALL) as session:
        session.execute(text("update call_transfer set how = 'blind' where how = 'park'"))
    run(place)
    assert rows(f"select how from call_transfer t join call c on c.id = t.call_id where call_key = '{key}'") == [("park",)]


def test_files_without_cel_contradict_nothing_that_was_heard(place: Settings) -> None:
    key = truths("further-22/two-callers")[0]["linkedid"]
    heard(place, key, ", disposition = 'busy'")
    place.switches[0].files["cel"].unlink()
    run(place)
    assert rows(f"select disposition, provenance from call where call_key = '{key}'") == [("busy", "live")]


def test_a_job_reads_the_switch_that_it_names(place: Settings) -> None:
    with db.begin(scope.ALL) as session:
        backfill.enqueue(session, "pbx1", "after a gap", at=AT)
        backfill.enqueue(session, "pbx1", "after a gap", at=AT)
    assert rows("select name, args->>'switch' from job") == [(backfill.JOB, "pbx1")]
    with db.begin(scope.ALL) as session:
        actions.gap_began(session, "pbx1", at=FIRST, reason="connection lost")
        actions.gap_ended(session, "pbx1", at=FIRST + timedelta(hours=1))
    jobs.handler(backfill.JOB, lambda args: backfill.job(place, args))
    backfill.job(place, {"switch": "pbx1", "why": "after a gap"})
    assert rows("select why, state, found > 90 from backfill_run") == [("after a gap", "done", True)]


def test_calls_that_lie_in_two_slices_are_whole(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from telephony import derive
    monkeypatch.setattr(derive, "SLICE", timedelta(seconds=7))
    run(place)
    assert {key for (key,) in rows("select call_key from call")} == set(written.calls(written.rows("22")))
    whole = {key: backfill.told("pbx1", call).disposition for key, call in written.calls(written.rows("22")).items()}
    assert dict(rows("select call_key, disposition from call")) == whole  # type: ignore[arg-type]


def test_what_somebody_chose_stays_theirs(place: Settings, committed_cast: SimpleNamespace) -> None:
    key = truths("further-22/refer-blind")[0]["linkedid"]
    began = datetime.fromtimestamp(float(key), UTC)
    with db.begin(scope.ALL) as session:
        party = make.party(session, committed_cast.pudong, "张工")
        call = make.call(session, began, call_key=key, end_certain=False, disposition="lost", started_at=began)
        session.execute(update(Call).where(Call.id == call.id).values(party_id=party.id))
        chosen = party.id
    run(place)
    assert rows(f"select party_id, provenance from call where call_key = '{key}'") == [(chosen, "backfilled")]


def test_files_that_lack_a_call_that_was_heard_fill_no_gap(place: Settings) -> None:
    """A copy that is never renewed, or the files of another switch."""
    at = datetime.fromtimestamp(1795700000, UTC)
    with db.begin(scope.ALL) as session:
        make.call(session, at - timedelta(minutes=30), call_key="1795698200.7", started_at=at - timedelta(minutes=30),
                  ended_at=at - timedelta(minutes=29))
        actions.gap_began(session, "pbx1", at=at - timedelta(minutes=20), reason="connection lost")
        actions.gap_ended(session, "pbx1", at=at - timedelta(minutes=19))

    done = run(place, at=at)

    assert "1795698200.7" in done.note and done.filled == 0
    assert rows("select filled_at from feed_gap") == [(None,)]
    assert rows("select state, note like '1 calls that were heard%' from backfill_run") == [("done", True)]


def test_a_gap_that_the_files_do_not_reach_does_not_keep_a_newer_one_open(place: Settings) -> None:
    begin = min(at for (at,) in rows_of_a_first_run(place))
    old, new = begin - timedelta(days=20), begin + timedelta(minutes=5)
    with db.begin(scope.ALL) as session:
        session.execute(text("delete from feed_gap"))
        make.call(session, old - timedelta(minutes=20), call_key="1700000000.1", ended_at=old - timedelta(minutes=19))
        for began in (old, new):
            actions.gap_began(session, "pbx1", at=began, reason="connection lost")
            actions.gap_ended(session, "pbx1", at=began + timedelta(minutes=1))

    done = backfill.run(place, place.switches[0], why="hourly", at=begin + timedelta(days=5))

    assert done.filled == 1 and "The files begin at" in done.note
    assert rows("select filled_at is not null from feed_gap order by began_at") == [(False,), (True,)]


def test_a_gap_of_long_ago_is_not_read_for_again_each_hour(place: Settings) -> None:
    run(place)
    with db.begin(scope.ALL) as session:
        actions.gap_began(session, "pbx1", at=AT - timedelta(days=120), reason="connection lost")
        actions.gap_ended(session, "pbx1", at=AT - timedelta(days=120, minutes=-1))

    assert backfill.run(place, place.switches[0], why="hourly", at=AT).records < run(place).records


def rows_of_a_first_run(place: Settings) -> list[Any]:
    run(place)
    return rows("select min(started_at) from call")
