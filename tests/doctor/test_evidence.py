"""What recorded streams of real switches prove to the doctor, and what an unlucky journal does not break."""

import gzip
from pathlib import Path

import pytest

from telephony.doctor.evidence import Reader, of_journal, together
from telephony.switch import Switch

CAPTURES = Path(__file__).parents[1] / "telephony" / "captures"


def capture(name: str, version: str = "22") -> bytes:
    return gzip.decompress((CAPTURES / f"asterisk-{version}" / f"{name}.ami.gz").read_bytes())


def proved(*streams: bytes) -> Reader:
    reader = Reader(Switch())
    for data in streams:
        reader.read(data)
    return reader


def test_a_real_call_shows_classes_times_and_where_it_came_from() -> None:
    shown = proved(capture("a-inbound-answered")).evidence()
    assert shown.events["Newchannel"] >= 4
    assert {"call", "agent", "cdr", "dialplan"} <= set(shown.classes)
    assert (shown.bare, shown.stamped > 100) == (0, True)
    assert set(shown.inbound) == {("trunk", "from-trunk")}
    assert shown.queues == {"support"}
    assert (shown.unanswered > 0, shown.doubts) == (True, 0)


def test_a_switch_without_stamps_is_seen_as_one() -> None:
    shown = proved(capture("a-inbound-answered", "16")).evidence()
    assert shown.stamped == 0
    assert shown.bare > 100


def test_what_a_caller_forged_is_counted() -> None:
    event = (b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/trunk-1\r\nCallerIDNum: 1\r\nLinkedid: 666.6\r\n"
             b"CallerIDName: x\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\n\r\n")
    assert proved(event).evidence().doubts == 1


def test_the_newest_part_of_a_journal_is_enough(tmp_path: Path) -> None:
    data = capture("a-inbound-answered")
    for segment in (1, 2):
        (tmp_path / f"{segment:012d}.ami").write_bytes(data)
        (tmp_path / f"{segment:012d}.ami.times").write_text(f"0 {1795331794 + segment}.5\n")
    (tmp_path / "000000000003.ami").mkdir()

    whole, part = of_journal(tmp_path, Switch()), of_journal(tmp_path, Switch(), tail=len(data) // 2)

    assert whole.events["Hangup"] == 2 * proved(data).evidence().events["Hangup"]
    assert whole.since is not None
    assert 0 < part.total < whole.total / 2
    assert of_journal(tmp_path / "none", Switch()).total == 0


@pytest.mark.parametrize("data", [b"", b"\0" * 5000, b"Event: Newchannel\r\n\r\n", b"Event: Cdr\r\nDisposition\r\n\r\n" * 9])
def test_garbage_proves_nothing_and_breaks_nothing(data: bytes) -> None:
    shown = proved(data).evidence()
    assert together(shown, shown).unanswered == 0
