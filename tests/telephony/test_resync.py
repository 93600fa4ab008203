"""When a switch is asked what is up: at a new connection, again when its list came in part, and now and then."""

from pathlib import Path

from telephony import resync
from telephony.event import Event
from telephony.floor import Floor
from telephony.journal import Journal, Position
from telephony.resync import ROUTINE, SOON, Resync

BOOTED, DONE = Event("FullyBooted", {}), Event("CoreShowChannelsComplete", {"listitems": "1"})


def test_a_list_of_which_a_part_was_lost_is_asked_for_again() -> None:
    asked: list[str] = []
    sync, floor = Resync(asked.append), Floor()
    sync.connected()
    sync.heard(BOOTED, 100.0)
    floor.hear(DONE)  # one channel is listed, and none was heard of

    assert not floor.listed
    assert not sync.heard(DONE, 100.1, whole=floor.listed)
    sync.remind(100.2, 90.0)
    assert asked == list(resync.SNAPSHOT)
    sync.remind(100.2 + SOON, 90.0)
    assert asked == [*resync.SNAPSHOT, *resync.SNAPSHOT]
    assert sync.heard(DONE, 106.0, whole=True)
    assert not sync.wanted


def test_a_quiet_line_is_looked_at_now_and_then() -> None:
    asked: list[str] = []
    sync = Resync(asked.append)
    sync.connected()
    sync.heard(BOOTED, 100.0)
    sync.heard(DONE, 100.1)
    sync.remind(100.0 + ROUTINE - 1, 90.0)
    assert len(asked) == 2
    sync.remind(101.0 + ROUTINE, 90.0)
    assert len(asked) == 4


def test_a_new_journal_goes_on_where_the_store_stopped(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "pbx1")
    journal.follow(50)
    journal.begin(0.0)

    assert journal.position == Position(51, 0)
    journal.follow(7)
    assert journal.position == Position(51, 0)
    journal.close()
