"""What real switches wrote down while the further captures were made: their CEL, queue_log and CDR files."""

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from telephony import records
from telephony.derive import derive
from telephony.livecall import LiveCall
from telephony.records import Form, Row
from telephony.switch import Switch

FILES = Path(__file__).parent / "files"
KINDS = ("cel", "queue_log", "cdr")
LONG_AFTER = datetime(2027, 1, 1, tzinfo=UTC)
UTC_FORM = Form()


def data(switch: str, kind: str) -> bytes:
    return gzip.decompress((FILES / f"asterisk-{switch}" / f"{kind}.gz").read_bytes())


def rows(switch: str, kinds: Iterable[str] = KINDS) -> list[Row]:
    return [row for kind in kinds for row in parsed(kind, data(switch, kind))]


def parsed(kind: str, written: bytes) -> list[Row]:
    found = [records.PARSERS[kind](record, UTC_FORM) for _, record in records.records(written)]
    assert all(row is not None for row in found)
    return [row for row in found if row is not None]


def calls(written: Sequence[Row]) -> dict[str, LiveCall]:
    return {call.key: call for call in derive(written, [], Switch(), LONG_AFTER).calls}


def laid(folder: Path, switch: str = "22") -> dict[str, Path]:
    """The files as they lie at a switch."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / kind).write_bytes(data(switch, kind))
    return {kind: folder / kind for kind in KINDS}
