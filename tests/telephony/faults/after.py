"""What the books say of a harmed feed once the switch's own files were read: heard and written meet by the desk's own rule.

Beside the further captures lie the files that their switch wrote. The older ones hold the same in themselves: CEL and Cdr
events are what the switch writes down, and a queue's events come at the lines of its queue_log.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache

from service.calls import rules
from service.calls.schemas import CallFacts
from telephony import replay, wire
from telephony.backfill import told
from telephony.derive import derive
from telephony.feed import times
from telephony.journal import Position
from telephony.records import Cdr, Cel, Queued, Row, _extra, plain
from telephony.replay import Played
from telephony.rows import call_facts
from telephony.switch import Switch
from tests.telephony import written
from tests.telephony.faults.harm import CAPTURES

SWITCH = "pbx1"
_VERBS = {"QueueCallerJoin": "ENTERQUEUE", "AgentConnect": "CONNECT", "QueueCallerAbandon": "ABANDON", "AgentComplete": ""}
_COMPLETE = {"caller": "COMPLETECALLER", "agent": "COMPLETEAGENT", "transfer": "BLINDTRANSFER"}


@cache
def files(capture: str) -> tuple[CallFacts, ...]:
    """Return what the switch's files tell of the time of this capture."""
    folder = capture.partition("/")[0]
    rows = written.rows(folder.partition("-")[2].removesuffix("-product")) if folder.startswith("further") else list(_own(capture))
    derived = derive(rows, [], Switch(), written.LONG_AFTER)
    return tuple(told(SWITCH, call, proven=call.key in derived.proven) for call in derived.calls)


def books(played: Played, capture: str) -> list[CallFacts]:
    """Return the calls as they stand in the books after the listener, then the reading of the files, wrote them."""
    heard = [call_facts(SWITCH, call, Position(1, 1)) for call in played.in_order()]
    mine = set().union(*(_names(fact) for fact in heard)) | _began(capture)
    for fact in files(capture):
        if not mine.isdisjoint(_names(fact)):
            heard = list(_met(heard, fact))
    return sorted(heard, key=lambda fact: fact.call_key)


def _met(heard: list[CallFacts], fact: CallFacts) -> Iterator[CallFacts]:
    """As the store does it: rows of one call become the first of them, and what is news stands under that one's name."""
    same = [row for row in heard if not _names(row).isdisjoint(_names(fact))]
    yield from (row for row in heard if row not in same)
    if not same:
        yield fact
    elif rules.is_news(same[0], fact, [(one.how, one.extension) for one in same[0].transfers], at=written.LONG_AFTER):
        yield rules.kept(same[0], fact)
    else:
        yield same[0]


@cache
def _began(capture: str) -> set[str]:
    """The ids of the channels that began in this capture: a call of which nothing was heard is one of them."""
    data = gzip.decompress((CAPTURES / f"{capture}.ami.gz").read_bytes())
    return {found["uniqueid"] for _, frame in wire.Framer().feed(data) if wire.event_name(frame) == b"Newchannel"
            for found, _ in [wire.headers(frame)]}


def _names(fact: CallFacts) -> set[str]:
    return {fact.call_key, *fact.aliases}


def outcome(facts: Iterable[CallFacts]) -> list[tuple[object, ...]]:
    """Return of each call what every figure hangs on."""
    return [(fact.call_key, fact.direction, fact.caller_number, fact.called, fact.queue, fact.answered_by, fact.final_agent,
             fact.disposition, tuple((one.how, one.extension, one.answered) for one in fact.transfers)) for fact in facts]


def _own(capture: str) -> Iterator[Row]:
    """The rows that the capture's own events are."""
    data = gzip.decompress((CAPTURES / f"{capture}.ami.gz").read_bytes())
    reads = times(replay.read_times(CAPTURES / f"{capture}.ami.gz"), data)
    for offset, frame in wire.Framer().feed(data):
        name = wire.event_name(frame).decode()
        if name in ("CEL", "Cdr") or name in _VERBS:
            found, _ = wire.headers(frame)
            at = float(found["timestamp"]) if "timestamp" in found else [at for begin, at in reads if begin <= offset][-1].timestamp()
            yield from _row(name, found, datetime.fromtimestamp(at, UTC))


def _row(name: str, found: Mapping[str, str], at: datetime) -> Iterator[Row]:
    if name == "CEL":
        yield Cel(found["eventname"], at, plain(found["calleridname"]), plain(found["calleridnum"]), found["exten"], found["context"],
                  found["channel"], found["application"], found["appdata"], found["uniqueid"], found["linkedid"], "", _extra(found["extra"]))
    elif name == "Cdr":
        yield Cdr(plain(found["source"]), found["destination"], found["destinationcontext"], "", found["channel"],
                  found["destinationchannel"], found["lastapplication"], found["lastdata"], _clock(found["starttime"]),
                  _clock(found["answertime"]) if found["answertime"] else None, _clock(found["endtime"]), found["disposition"],
                  found["uniqueid"], found.get("linkedid", found["uniqueid"]), int(found.get("sequence", "0")))
    else:
        data = ("", found.get("destuniqueid", "")) if name == "AgentConnect" else ()
        verb = _VERBS[name] or _COMPLETE[found["reason"]]
        yield Queued(at.replace(microsecond=0), found["uniqueid"], found["queue"], found.get("interface", "NONE"), verb, data)


def _clock(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)
