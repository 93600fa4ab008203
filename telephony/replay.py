"""`ringdesk replay`: the calls of captures or journals, as JSON on standard output."""

import argparse
import gzip
import json
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from telephony import facts
from telephony.clock import marks
from telephony.feed import Feed, times
from telephony.floor import Change, Floor
from telephony.grouping import id_key
from telephony.livecall import Leg, LiveCall
from telephony.switch import Switch, read_switch

READ = 1 << 16
# An order whose agent was not reached is one outcome; what the phone said is in the legs.
_ORDERS = {"agent-busy": "agent-no-answer", "agent-rejected": "agent-no-answer"}


class Played:
    """What came of a feed: every call it told of, and what was not believed."""

    def __init__(self, switch: Switch | None = None) -> None:
        self.feed = Feed()
        self.floor = Floor(switch)
        self.calls: dict[str, LiveCall] = {}

    def hear(self, data: bytes, received: datetime | None) -> None:
        """Take bytes as they came from the switch at that time."""
        for event in self.feed.hear(data, received):
            self.keep(self.floor.hear(event))

    def keep(self, changes: Iterable[Change]) -> None:
        """Remember the newest state of each call; one that went into another is no call any more."""
        for change in changes:
            if change.old is not None and change.old.key != change.new.key:
                self.calls.pop(change.old.key, None)
            self.calls[change.new.key] = change.new

    def finish(self) -> None:
        """The feed is at its end: calls that look over are closed, with an end that is not certain."""
        self.keep(self.floor.finish())

    def in_order(self) -> list[LiveCall]:
        """Return the calls by the id that names them."""
        return sorted(self.calls.values(), key=lambda call: id_key(call.key))


def replay(paths: Sequence[Path], switch: Switch | None = None, *, piece: int = READ) -> Played:
    """Return what the files tell, taken as one feed whose connection was cut between them."""
    played = Played(switch)
    for data, lines in [(read(path), read_times(path)) for path in paths]:
        played.floor.alive(played.feed.alive_at)
        played.feed.reconnected()
        for received, chunk in pieces(data, times(lines, data) or marks(data), piece):
            played.hear(chunk, received)
    played.finish()
    return played


def pieces(data: bytes, reads: list[tuple[int, datetime]], piece: int) -> Iterator[tuple[datetime | None, bytes]]:
    """Yield the bytes in pieces that never span two reads, each with the time of its read."""
    starts = [offset for offset, _ in reads]
    begin = 0
    while begin < len(data):
        at = bisect_right(starts, begin)
        end = min(begin + piece, starts[at] if at < len(starts) else len(data))
        yield (reads[at - 1][1] if at else None), data[begin:end]
        begin = end


def read(path: Path) -> bytes:
    """Return the file's bytes, unpacked when it is a .gz; raises OSError."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def read_times(path: Path) -> str:
    """Return the lines of the `.times` file beside it, empty when there is none."""
    for beside in (path.with_name(path.name + ".times"), path.with_name(path.name.removesuffix(".gz") + ".times")):
        if beside.exists():
            return beside.read_text("ascii", errors="replace")
    return ""


def told(call: LiveCall) -> dict[str, Any]:
    """Return the call as one JSON object; what is not known is null."""
    disposition = facts.disposition(call)
    return {
        "linkedid": call.key, "linkedids": list(call.linkedids), "uniqueids": sorted(call.legs, key=id_key), "direction": facts.direction(call),
        "caller_number": facts.caller_number(call), "caller_name": facts.caller_name(call),
        "called": facts.called(call), "queue": call.queue, "agents_rung": facts.agents_rung(call),
        "agent": facts.agent(call), "answered_by": facts.answered_by(call), "disposition": _ORDERS.get(disposition or "", disposition),
        "wait_seconds": _rounded(facts.wait_seconds(call)), "talk_seconds": _rounded(facts.talk_seconds(call)),
        "total_seconds": _rounded(facts.total_seconds(call)), "hangup_by": facts.hangup_by(call),
        "recorded": call.recorded, "recording": call.recording, "final_agent": facts.final_agent(call),
        "transfers": facts.transfers(call), "segments": facts.agent_segments(call), "holds": facts.holds(call),
        "mailbox": call.mailbox, "conference": call.conference, "role": call.role, "serves": call.serves,
        "start": _stamp(call.began_at), "queued": _stamp(call.queued_at), "connected": _stamp(call.answered_at),
        "end": _stamp(call.ended_at), "live": not call.ended, "end_certain": call.ended and facts.certain(call),
        "provenance": "repaired" if call.repaired else "live", "lost": call.lost,
        "legs": [_leg(call, leg) for leg in facts.phones(call)],
    }


def _leg(call: LiveCall, leg: Leg) -> dict[str, Any]:
    return {"channel": leg.channel, "party": leg.party, "member": facts.member(call, leg),
            "outcome": facts.outcome(call, leg), "rang": _stamp(leg.rang_at), "answered": _stamp(leg.up_at),
            "end": _stamp(leg.ended_at), "cause": leg.cause}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _stamp(at: datetime | None) -> float | None:
    return round(at.timestamp(), 6) if at else None


def main(argv: Sequence[str]) -> int:
    """Print the calls of the files; doubts go to standard error; 2 means that a file cannot be used."""
    parser = argparse.ArgumentParser("ringdesk replay", description="The calls that captures or journals tell of.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an .ami file, or .ami.gz")
    parser.add_argument("--json", action="store_true", help="print the calls as a JSON list (also the default)")
    parser.add_argument("--switch", type=Path, metavar="FILE", help="TOML: name, trunk_contexts, extension_pattern")
    options = parser.parse_args(argv)
    try:
        played = replay(options.files, read_switch(options.switch) if options.switch else None)
    except (OSError, EOFError, ValueError) as error:
        print(f"ringdesk replay: {error}", file=sys.stderr)
        return 2
    report(played)
    print(json.dumps([told(call) for call in played.in_order()], ensure_ascii=False, indent=1))
    return 0


def report(played: Played) -> None:
    """Write what was not believed to standard error, without control characters of its author."""
    for doubt in [*played.feed.doubts, *played.floor.doubts]:
        print(f"quarantined at byte {doubt.offset}: {doubt.reason}: {doubt.shown}", file=sys.stderr)
    total = played.feed.doubted + played.floor.doubted
    if total:
        print(f"{total} frames were forged or cannot be believed.", file=sys.stderr)
