"""What a switch writes down by itself: lines of its CEL file, its queue_log and its CDR file become rows. Pure.

A caller's number is in them as the caller sent it, line ends included: quotes are doubled by the switch, so a record
ends where its quotes are even, and a number ends at its first control character.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

LONGEST = 65536  # bytes of one record; what is longer is a quote that was never closed
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STAMP = re.compile(r"\d{9,11}(\.\d+)?")
_CEL_OWN = ("eventtype", "eventtime", "name", "num", "dnid", "exten", "context", "channame", "appname", "uniqueid",
            "linkedid", "peer", "eventextra")
_CEL_SAMPLE = ("eventtype", "eventtime", "name", "num", "ani", "rdnis", "dnid", "exten", "context", "channame", "appname",
               "appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer", "userfield", "userdeftype", "eventextra")
LAYOUTS = {len(_CEL_OWN): _CEL_OWN, len(_CEL_SAMPLE): _CEL_SAMPLE}
_SAME_COLUMN = {"cidname": "name", "cidnum": "num", "ciddnid": "dnid", "extra": "eventextra", "bridgepeer": "peer",
                "usereventname": "userdeftype"}
_CDR = ("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
        "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount", "linkedid", "sequence")


@dataclass(frozen=True, slots=True)
class Cel:
    """One channel event; `name` and `number` are the caller id that the channel had then."""

    kind: str
    at: datetime
    name: str = ""
    number: str = ""
    exten: str = ""
    context: str = ""
    channel: str = ""
    app: str = ""
    data: str = ""
    uniqueid: str = ""
    linkedid: str = ""
    said: str = ""                   # the name of an event of the dialplan's own
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queued:
    """One line of queue_log, in whole seconds."""

    at: datetime
    call: str
    queue: str
    agent: str
    verb: str
    data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cdr:
    """One attempt of one channel, in whole seconds as a rule; `answer` is None where nobody answered."""

    src: str
    dst: str
    context: str
    name: str
    channel: str
    dstchannel: str
    app: str
    data: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    uniqueid: str
    linkedid: str
    sequence: int


Row = Cel | Queued | Cdr


@dataclass(frozen=True)
class Form:
    """How one switch writes: its CEL columns (none: told by their number) and the zone of times without one."""

    columns: tuple[str, ...] = ()
    zone: tzinfo = UTC


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each record that is whole with the offset of its end; what follows the last one is not finished yet."""
    held, begin = b"", 0
    while (end := data.find(b"\n", begin)) >= 0:
        line, begin = data[begin : end + 1], end + 1
        fresh = line.startswith(b'"') and not line.startswith(b'""') and _balanced(line)
        held = line if held and fresh else held + line  # a record never began inside quotes: these were left open
        if _balanced(held) or len(held) > LONGEST:
            yield begin, held
            held = b""


def _balanced(record: bytes) -> bool:
    return record.count(b'"') % 2 == 0


def cel(record: bytes, form: Form) -> Cel | None:
    """Return the channel event, None when the record is none."""
    fields = _fields(record)
    columns = form.columns or LAYOUTS.get(len(fields))
    if columns is None or len(columns) != len(fields):
        return None
    row = {_SAME_COLUMN.get(name.lower(), name.lower()): value for name, value in zip(columns, fields, strict=True)}
    at = moment(row.get("eventtime", ""), form.zone)
    if at is None or not row.get("uniqueid"):
        return None
    return Cel(
        row.get("eventtype", ""), at, plain(row.get("name", "")), plain(row.get("num", "")), row.get("exten", ""),
        row.get("context", ""), row.get("channame", ""), row.get("appname", ""), row.get("appdata", ""), row["uniqueid"],
        row.get("linkedid", "") or row["uniqueid"], row.get("userdeftype", ""), _extra(row.get("eventextra", "")),
    )


def queued(record: bytes, form: Form) -> Queued | None:
    """Return the line of queue_log, None when it is none."""
    parts = _text(record).rstrip("\r\n").split("|")
    at = moment(parts[0], form.zone)
    if len(parts) < 5 or at is None or not parts[1]:
        return None
    return Queued(at, parts[1], parts[2], parts[3], parts[4], tuple(parts[5:]))


def cdr(record: bytes, form: Form) -> Cdr | None:
    """Return the call detail record, None when it is none, or was written without its channel's id."""
    row = dict(zip(_CDR, _fields(record), strict=False))
    start, end = moment(row.get("start", ""), form.zone), moment(row.get("end", ""), form.zone)
    uniqueid = row.get("uniqueid", "")
    if start is None or end is None or not uniqueid:
        return None
    name = re.sub(r"\s*<[^>]*>\s*\Z", "", row["clid"]).strip('"')
    sequence = row.get("sequence", "")
    return Cdr(plain(row["src"]), row["dst"], row["dcontext"], plain(name), row["channel"], row["dstchannel"], row["lastapp"],
               row["lastdata"], start, moment(row["answer"], form.zone), end, row["disposition"], uniqueid,
               row.get("linkedid", "") or uniqueid, int(sequence) if sequence.isascii() and sequence.isdigit() else 0)


PARSERS = {"cel": cel, "queue_log": queued, "cdr": cdr}


def moment(stamp: str, zone: tzinfo) -> datetime | None:
    """Return the instant of a Unix time, or of a date and time in that zone; None for anything else."""
    try:
        if _STAMP.fullmatch(stamp):
            return datetime.fromtimestamp(float(stamp), UTC)
        found = datetime.fromisoformat(stamp)
    except (ValueError, OverflowError, OSError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def plain(value: str) -> str:
    """Return what stands before the first control character: after it a caller speaks, not the switch."""
    return _CONTROL.split(value, maxsplit=1)[0]


def _fields(record: bytes) -> Sequence[str]:
    try:
        return next(csv.reader([_text(record).rstrip("\r\n")], strict=True), [])
    except csv.Error:
        return []


def _text(record: bytes) -> str:
    return record.decode("utf-8", "replace")


def _extra(text: str) -> Mapping[str, str]:
    try:
        found = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items() if value is not None}
