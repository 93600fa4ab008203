"""A switch's files that are fetched by SFTP: as if they were mounted, through appends, rotation, cuts and refusals; against a real server."""

import gzip
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
from sqlalchemy import text

from service import doctor, start
from service.calls import actions
from service.core import config, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.errors import Unreachable
from telephony import backfill, mirror
from telephony.backfill import NoFiles
from telephony.mirror import NotKept
from tests.sftp import Server
from tests.telephony import written
from tests.telephony.test_backfill import FIRST, rows, run

AT = written.LONG_AFTER
LINE = b"1795700000|1795699990.%05d|support|PJSIP/1001|CONNECT|3|1795699990.18|2\n"
LONG = b"".join(LINE % number for number in range(30_000))  # two megabytes
NAMES = {"queue_log": "queue_log", "cel": "cel-custom/Master.csv", "cdr": "cdr-csv/Master.csv"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "far" / "log"
    for name in NAMES.values():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    running = Server(tmp_path / "far")
    yield running
    running.close()


def switch(server: Server, tmp_path: Path, **more: Any) -> SwitchSettings:
    item = {"recordings": "", "files_url": server.url("log"), "files_timezone": "UTC", **NAMES}
    return server.switch(tmp_path, **item | more)


@pytest.fixture
def alone(server: Server, tmp_path: Path) -> Settings:
    """Settings of a switch of which only the queue_log is fetched; they need no database."""
    return Settings(data=tmp_path / "data", switches=(switch(server, tmp_path, cel="", cdr=""),))


@pytest.fixture
def log(server: Server) -> Path:
    """The queue_log over there."""
    return server.folder / "log" / "queue_log"


def put(path: Path, content: bytes, age: timedelta = timedelta()) -> Path:
    """The file was written to for the last time so long ago."""
    path.write_bytes(content)
    moment = (AT - age).timestamp()
    os.utime(path, (moment, moment))
    return path


def fetched(place: Settings, since: timedelta = timedelta(days=1)) -> dict[str, str]:
    return mirror.fetch(place, place.switches[0], since=AT - since, at=AT)


def near(place: Settings) -> dict[str, bytes]:
    """What lies here of the queue_log."""
    return {path.name: path.read_bytes() for path in sorted((place.feeds_dir / "pbx1" / "queue_log").iterdir())}


def test_what_lies_there_lies_here_for_this_user_alone(alone: Settings, log: Path) -> None:
    put(log, LONG)
    put(log.with_name("queue_log.1"), b"older\n", timedelta(hours=3))
    put(log.with_name("queue_log.2"), b"too old\n", timedelta(days=3))
    put(log.with_name("messages"), b"another's\n")

    assert fetched(alone) == {}

    assert near(alone) == {"queue_log": LONG, "queue_log.1": b"older\n"}
    here = mirror.here(alone, alone.switches[0])["queue_log"]
    assert here.stat().st_mtime == log.stat().st_mtime
    assert [path.stat().st_mode & 0o777 for path in (here, *here.parents[:3])] == [0o600, 0o700, 0o700, 0o700]


def test_only_what_was_written_since_is_asked_for(alone: Settings, log: Path, server: Server) -> None:
    put(log, LONG, timedelta(minutes=5))
    fetched(alone)
    inode = mirror.here(alone, alone.switches[0])["queue_log"].stat().st_ino
    server.sent = 0

    fetched(alone)
    assert server.sent == 0

    put(log, LONG + LINE % 99_999)
    fetched(alone)
    assert near(alone) == {"queue_log": LONG + LINE % 99_999}
    assert server.sent < 20_000
    assert mirror.here(alone, alone.switches[0])["queue_log"].stat().st_ino == inode


def test_a_rotated_file_takes_its_new_name_and_is_not_fetched_twice(alone: Settings, log: Path, server: Server) -> None:
    put(log, LONG, timedelta(minutes=9))
    put(log.with_name("queue_log.1"), b"first\n", timedelta(hours=2))
    fetched(alone)
    server.sent = 0

    log.with_name("queue_log.1").rename(log.with_name("queue_log.2"))
    put(log, LONG + b"last\n", timedelta(minutes=5)).rename(log.with_name("queue_log.1"))
    put(log, b"new\n")
    fetched(alone)

    assert near(alone) == {"queue_log": b"new\n", "queue_log.1": LONG + b"last\n", "queue_log.2": b"first\n"}
    assert server.sent < 40_000


def test_a_file_that_was_replaced_packed_or_thrown_away_is_so_here_too(alone: Settings, log: Path) -> None:
    put(log, LONG)
    part = put(log.with_name("queue_log.1"), LONG, timedelta(hours=2))
    fetched(alone)

    put(log, b"x" + LONG)
    put(log.with_name("queue_log.1.gz"), gzip.compress(LONG), timedelta(hours=2))
    part.unlink()
    fetched(alone)

    assert near(alone) == {"queue_log": b"x" + LONG, "queue_log.1.gz": gzip.compress(LONG)}


def test_a_cut_leaves_what_came_and_the_next_run_goes_on_from_there(alone: Settings, log: Path, server: Server) -> None:
    put(log, LONG)
    server.cut_after = 5

    with pytest.raises(Unreachable, match="queue_log was not fetched to its end: the link was cut"):
        fetched(alone)

    came = len(near(alone)[".draft.queue_log"])
    assert 0 < came < len(LONG)
    server.cut_after, server.sent = 0, 0
    assert fetched(alone) == {}
    assert near(alone) == {"queue_log": LONG}
    assert server.sent < len(LONG) - came + 20_000


def test_what_a_power_cut_made_of_it_is_seen_and_it_is_fetched_anew(alone: Settings, log: Path) -> None:
    put(log, LONG, timedelta(minutes=1))
    fetched(alone)
    here = mirror.here(alone, alone.switches[0])["queue_log"]
    here.write_bytes(LONG[:-3000] + bytes(3000))

    put(log, LONG + b"more\n")
    fetched(alone)

    assert near(alone) == {"queue_log": LONG + b"more\n"}


def test_a_rotation_in_the_midst_is_fetched_whole(alone: Settings, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(log, LONG, timedelta(minutes=9))
    fetched(alone)
    put(log, LONG + b"last\n", timedelta(minutes=5))
    bring, turned = mirror.Mirror._bring, []

    def rotates(self: mirror.Mirror, *args: Any) -> None:
        if not turned:
            turned.append(log.rename(log.with_name("queue_log.1")))
            put(log, b"new\n")
        bring(self, *args)

    monkeypatch.setattr(mirror.Mirror, "_bring", rotates)
    fetched(alone)

    assert near(alone) == {"queue_log": b"new\n", "queue_log.1": LONG + b"last\n"}


def test_a_part_that_is_written_to_all_the_time_holds_up_nothing(alone: Settings, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(log, LONG)
    busy = put(log.with_name("queue_log_too"), b"1\n")
    bring = mirror.Mirror._bring

    def writes(self: mirror.Mirror, *args: Any) -> None:
        bring(self, *args)
        put(busy, busy.read_bytes() + b"more\n")

    monkeypatch.setattr(mirror.Mirror, "_bring", writes)

    assert fetched(alone) == {}
    assert near(alone)["queue_log"] == LONG and near(alone)["queue_log_too"].startswith(b"1\n")


def test_links_and_strange_names_are_left_where_they_are(alone: Settings, log: Path, tmp_path: Path) -> None:
    put(log, b"one\n")
    secret = put(tmp_path / "secret", b"secret\n")
    log.with_name("queue_log.1").symlink_to(secret)
    log.with_name("queue_log.d").mkdir()
    put(log.with_name("queue_log\n2"), b"no\n")
    assert fetched(alone) == {}
    assert near(alone) == {"queue_log": b"one\n"}

    log.unlink()
    log.symlink_to(secret)
    assert "links are not followed" in fetched(alone)["queue_log"]


def test_a_file_that_is_not_there_or_shut_is_told_by_its_address(alone: Settings, log: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetched(alone)["queue_log"] == f"{server.url('log')}/queue_log is not there; correct the path in the settings, or let the switch write it."
    put(log, b"one\n")

    def refuses(*_args: object) -> None:
        raise asyncssh.SFTPPermissionDenied("no")

    monkeypatch.setattr(asyncssh.SFTPServer, "open", refuses)
    assert "give its group the right to read" in fetched(alone)["queue_log"]


def test_a_disk_without_room_is_told_before_it_is_full(alone: Settings, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(log, LONG)
    with monkeypatch.context() as patch:
        patch.setattr(mirror, "SPARE", 1 << 60)
        with pytest.raises(NotKept, match=r"queue_log has 2 MB more, and .* too little room"):
            fetched(alone)
    assert fetched(alone) == {}


def test_a_folder_that_cannot_be_made_is_a_sentence(alone: Settings, log: Path) -> None:
    put(log, LONG)
    alone.data.mkdir()
    alone.feeds_dir.write_text("in the way")
    with pytest.raises(NotKept, match="cannot be written"):
        fetched(alone)


def test_nothing_older_than_a_month_stays_and_nothing_of_a_switch_that_is_no_longer_fetched(alone: Settings, log: Path) -> None:
    put(log, b"now\n")
    put(log.with_name("queue_log.1"), b"a month\n", timedelta(days=30))
    put(log.with_name("queue_log.2"), b"too old\n", timedelta(days=32))
    fetched(alone, since=timedelta(days=40))
    assert set(near(alone)) == {"queue_log", "queue_log.1", "queue_log.2"}  # somebody named a moment that long ago

    mirror.sweep(alone, None, at=AT)  # type: ignore[arg-type]
    assert set(near(alone)) == {"queue_log", "queue_log.1"}
    fetched(alone)
    assert set(near(alone)) == {"queue_log", "queue_log.1"}

    mirror.sweep(replace(alone, switches=()), None, at=AT)  # type: ignore[arg-type]
    assert list(alone.feeds_dir.iterdir()) == []


def test_the_doctor_sees_each_file_and_why_not(alone: Settings, log: Path, server: Server, tmp_path: Path) -> None:
    put(log, b"one\n", timedelta(hours=1))
    found = mirror.seen(switch(server, tmp_path, cdr=""))
    assert (found["queue_log"].why, found["queue_log"].changed) == ("", AT - timedelta(hours=1))
    assert found["cel"].why.endswith("cel-custom/Master.csv is not there; correct the path in the settings, or let the switch write it.")

    away = replace(alone.switches[0], files_url="sftp://ringdesk@127.0.0.1:1/log")
    assert "does not answer by SFTP" in mirror.seen(away)["queue_log"].why


def test_the_doctor_says_it_once_when_none_of_them_can_be_had(alone: Settings, log: Path, server: Server, tmp_path: Path) -> None:
    for name in NAMES.values():
        put(log.parent / name, b"one\n", timedelta(hours=1))
    all_three = replace(switch(server, tmp_path), port=1)

    def told(one: SwitchSettings) -> set[str]:
        report = doctor.examined(replace(alone, switches=(one,)), at=AT)[0]
        return {found["code"] for found in report.findings if found["check"] in ("queuelog", "files")}

    assert told(all_three) == {"queuelog.ok", "files.ok"}
    (log.parent / NAMES["cdr"]).unlink()
    assert told(all_three) == {"queuelog.ok", "files.away"}
    assert told(replace(all_three, files_url="sftp://ringdesk@127.0.0.1:1/log")) == {"queuelog.away"}


# ---- a whole run ----------------------------------------------------------------------------------------------------


@pytest.fixture
def place(settings: Settings, committed_cast: SimpleNamespace, server: Server, tmp_path: Path) -> Settings:
    """A switch whose three files lie over there."""
    for kind, name in NAMES.items():
        put(server.folder / "log" / name, written.data("22", kind), timedelta(hours=1))
    return replace(settings, data=tmp_path / "data", switches=(switch(server, tmp_path),))


def test_what_comes_of_it_is_what_comes_of_local_files(place: Settings, tmp_path: Path) -> None:
    done = run(place)
    plain = "select call_key, disposition, answered_by, provenance, derivation from call order by call_key"
    calls = rows(plain)
    assert done.calls > 90 and done.note == ""
    assert (run(place).found, run(place).mended) == (0, 0)
    with db.begin(scope.ALL) as session:
        for table in ("call", "missed_caller", "feed_cursor"):
            session.execute(text(f"delete from {table}"))

    local = SwitchSettings(name="pbx1", files_timezone="UTC", **written.laid(tmp_path / "mounted"))  # type: ignore[arg-type]
    run(replace(place, switches=(local,)))

    assert rows(plain) == calls


def test_a_log_that_grows_and_rotates_between_two_runs_is_read_whole(place: Settings, server: Server) -> None:
    cel = server.folder / "log" / NAMES["cel"]
    whole = written.data("22", "cel")
    half = whole.rfind(b"\n", 0, len(whole) // 2) + 1
    cut = datetime.fromtimestamp(float(whole[half:].split(b'","', 2)[1]), UTC)
    cel.write_bytes(whole[: half + 30])  # a torn end
    first = run(place, at=cut)
    end = whole.rfind(b"\n", 0, half + len(whole[half:]) // 2) + 1
    put(cel, whole[:end], timedelta(hours=2)).rename(cel.with_name("Master.csv.1"))
    put(cel, whole[end:], timedelta(hours=1))

    second = run(place, since=None)

    assert second.records < 0.8 * (first.records + second.records)
    assert {key for (key,) in rows("select call_key from call")} == set(written.calls(written.rows("22")))


def gap() -> None:
    with db.begin(scope.ALL) as session:
        actions.gap_began(session, "pbx1", at=AT - timedelta(hours=3), reason="connection lost")
        actions.gap_ended(session, "pbx1", at=AT - timedelta(hours=2))


def last_run() -> tuple[str, str]:
    state, note = rows("select state, note from backfill_run order by id desc limit 1")[0]
    return state, note


def test_each_refusal_is_a_run_that_failed_with_a_sentence_and_the_gap_stays_open(place: Settings, server: Server, tmp_path: Path) -> None:
    gap()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    stranger = replace(place, switches=(replace(place.switches[0], sftp_host_key=other),))
    with pytest.raises(Unreachable):
        run(stranger)
    assert last_run()[0] == "failed" and "shows another host key" in last_run()[1]
    assert server.links == []

    server.cut_after = 1
    with pytest.raises(Unreachable):
        run(place)
    assert last_run()[0] == "failed" and "the link was cut" in last_run()[1]
    server.cut_after = 0

    key = place.switches[0].sftp_key_file
    assert key is not None
    mine = key.read_bytes()
    key.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    with pytest.raises(Unreachable):
        run(place)
    assert last_run()[0] == "failed" and "does not let ringdesk in" in last_run()[1]
    key.write_bytes(mine)

    for name in NAMES.values():
        (server.folder / "log" / name).rename(tmp_path / name.replace("/", "-"))
    with pytest.raises(NoFiles):
        run(place)
    assert last_run()[0] == "failed" and last_run()[1].count("is not there") == 3
    assert rows("select filled_at from feed_gap") == [(None,)]

    for name in NAMES.values():
        (tmp_path / name.replace("/", "-")).rename(server.folder / "log" / name)
    assert backfill.run(place, place.switches[0], why="by hand", at=AT, since=FIRST).filled == 1
    assert last_run() == ("done", "")


def test_one_file_that_is_gone_leaves_the_gap_open_and_what_was_fetched_of_it_is_not_read(place: Settings, server: Server) -> None:
    run(place)
    (server.folder / "log" / "queue_log").unlink()
    gap()

    done = run(place)

    assert "queue_log is not there" in done.note and done.filled == 0


def test_a_switch_that_is_away_does_not_hold_up_the_others(place: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    away = replace(place.switches[0], name="pbx0", files_url="sftp://ringdesk@127.0.0.1:1/log")

    with pytest.raises(start.CannotStart, match=r"^pbx0: 127\.0\.0\.1:1 does not answer by SFTP"):
        start.backfill(replace(place, switches=(away, *place.switches)), None, FIRST.replace(tzinfo=None))

    assert "pbx1: " in capsys.readouterr().out
    assert rows("select switch, state from backfill_run order by 1") == [("pbx0", "failed"), ("pbx1", "done")]


# ---- the settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "sentence"), [
    ({"files_url": "sftp://u:secret@pbx/log"}, "files_url is .* without a password"),
    ({"files_url": "/var/log/asterisk"}, "write sftp://user@host:port/path"),
    ({"sftp_key_file": ""}, "whose files are fetched by SFTP needs sftp_key_file"),
    ({"sftp_host_key": ""}, "whose files are fetched by SFTP needs sftp_host_key"),
    ({"cel": "/var/log/asterisk/cel-custom/Master.csv"}, "cel is .* a path below that folder"),
    ({"cel": "../cel"}, "cel is .* a path below that folder"),
    ({"cel": "cel-custom/.hidden"}, "cel is .* a path below that folder"),
    ({"cel": ""}, "no file is named"),
])
def test_an_address_that_cannot_be_trusted_or_read_stops_the_start(change: dict[str, str], sentence: str) -> None:
    item = {"files_url": "sftp://u@pbx:2222/log", "cel": "cel-custom/Master.csv", "sftp_key_file": "/k", "sftp_host_key": "ssh-ed25519 " + "A" * 68}
    assert config._switch(dict(item)).files == {"cel": Path("cel-custom/Master.csv")}

    with pytest.raises(config.BadSetting, match=sentence):
        config._switch(item | change)


def test_a_process_that_is_started_with_these_settings_has_the_same(alone: Settings) -> None:
    assert config.load(config.exported(replace(alone, secret_key="k" * 48))).switches == alone.switches
