"""A switch's own files tell each further call as it truly was: transfers, parking, rooms, mailboxes, restarts."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from telephony import replay
from telephony.backfill import told
from telephony.book import Book
from telephony.derive import derive
from telephony.records import Cdr, Cel
from telephony.retelling import Held, events
from telephony.switch import Switch
from tests.telephony import written
from tests.telephony.test_further import agrees
from tests.telephony.test_replay import CAPTURES

NAMES = sorted(f"{path.parent.name}/{path.name.removesuffix('.expected.json')}"
               for path in CAPTURES.glob("further-*/*.expected.json") if path.parent.name in ("further-22", "further-16"))
# What these files do not hold: the moment of a crash, and which mailbox it was (the columns lack AppData, the CDR was reset).
UNWRITTEN = {"pbx-restart": ("segments", "talk_seconds"), "queue-timeout-voicemail": ("mailbox", "disposition"),
             "hold": ("holds",), "hold-hangup": ("holds",), "outbound-hold": ("holds",), "click-hold-refer": ("holds",),
             "customer-holds": ("holds",)}


@pytest.fixture(scope="module")
def derived() -> dict[str, dict[str, dict[str, Any]]]:
    return {switch: {key: replay.told(call) for key, call in written.calls(written.rows(switch)).items()} for switch in ("22", "16")}


def truths(name: str) -> list[dict[str, Any]]:
    unwritten = UNWRITTEN.get(name.split("/")[1], ())
    calls: list[dict[str, Any]] = json.loads((CAPTURES / f"{name}.expected.json").read_text())["calls"]
    return [{key: None if key in unwritten else value for key, value in call.items()} for call in calls]


@pytest.mark.parametrize("name", NAMES)
def test_the_files_tell_it_as_it_was(name: str, derived: dict[str, dict[str, dict[str, Any]]]) -> None:
    calls = derived[name.split("/", maxsplit=1)[0].removeprefix("further-")]
    for true in truths(name):
        if true["linkedid"] in calls or true.get("role") != "consultation":
            agrees(calls[true["linkedid"]], true | {"holds": None})


def test_without_a_queue_log_the_cdr_still_names_the_queue() -> None:
    calls = written.calls(written.rows("22", ("cel", "cdr")))
    crashed = ("further-22/pbx-restart",)  # a switch that is killed writes no CDR
    true = {call["linkedid"]: call for name in NAMES if name.startswith("further-22") and name not in crashed for call in truths(name)}
    wrong = [key for key, call in calls.items() if key in true and true[key]["queue"] and call.queue != true[key]["queue"]]
    assert wrong == []


def test_without_cel_the_calls_are_there_with_who_answered() -> None:
    calls = written.calls(written.rows("22", ("queue_log", "cdr")))
    true = next(call for call in truths("further-22/two-callers") if call["answered_by"])
    found = replay.told(calls[true["linkedid"]])
    assert (found["queue"], found["answered_by"], found["direction"]) == (true["queue"], true["answered_by"], "inbound")


def test_the_order_in_which_rows_come_does_not_matter() -> None:
    rows = written.rows("22", ("cel",)) + written.rows("22", ("queue_log",))
    shuffled = written.rows("22", ("queue_log",)) + written.rows("22", ("cel",))
    assert events(Book(rows)) == events(Book(shuffled))


def test_derived_twice_each_byte_is_the_same() -> None:
    once = [told("pbx1", call) for call in written.calls(written.rows("22")).values()]
    again = [told("pbx1", call) for call in written.calls(written.rows("22")).values()]
    assert repr(once).encode() == repr(again).encode()
    assert len({fact.derivation for fact in once}) == len(once)


def test_a_hold_that_was_heard_is_told_though_no_file_knows_of_it() -> None:
    true = truths("further-22/hold")[0]
    rows = written.rows("22")
    plain = next(call for call in derive(rows, [], Switch(), written.LONG_AFTER).calls if call.key == true["linkedid"])
    talk = next(one for one in plain.segments if one.kind == "talk")
    assert talk.began_at and talk.ended_at and talk.party
    third = (talk.ended_at - talk.began_at) / 3
    hold = Held(plain.ids, talk.party, talk.began_at + third, talk.began_at + 2 * third)
    held = next(call for call in derive(rows, [hold], Switch(), written.LONG_AFTER).calls if call.key == plain.key)
    assert [one.kind for one in held.segments if one.party] == ["talk", "hold", "talk"]


def test_a_call_whose_beginning_is_not_in_the_rows_is_none() -> None:
    true = truths("further-22/refer-blind")[0]
    rows = [row for row in written.rows("22") if not (isinstance(row, Cel) and row.uniqueid == true["linkedid"] and row.kind == "CHAN_START")]
    assert true["linkedid"] not in written.calls(rows)


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_are_lost_cost_no_exception_and_no_other_call(seed: int) -> None:
    rng = random.Random(seed)
    rows = written.rows("22")
    kept = [row for row in rows if rng.random() > 0.05]
    whole = written.calls(rows)
    assert set(written.calls(kept)) <= {name for call in whole.values() for name in call.ids}


def test_a_started_switch_ends_what_was_up_before_it() -> None:
    true = truths("further-22/pbx-restart")[0]
    call = replay.told(written.calls(written.rows("22"))[true["linkedid"]])
    assert (call["lost"], call["end_certain"], call["live"]) == ("restart", False, False)


def test_who_withholds_the_number_is_told_to_nobody() -> None:
    rows = written.rows("22", ("cel",))
    origin = next(row for row in rows if isinstance(row, Cel) and row.kind == "CHAN_START" and row.context == "from-trunk" and row.exten != "s")
    mark = Cel("RingdeskWithheld", origin.at, context="from-trunk", channel=origin.channel, uniqueid=origin.uniqueid, linkedid=origin.linkedid)
    found = written.calls([*rows, mark])[origin.linkedid]
    assert replay.told(found)["caller_number"] == "anonymous"


@pytest.mark.parametrize(("said", "state"), [("announced", "announced"), ("refused", "refused"), ("whatever", None)])
def test_what_a_caller_said_of_recording_is_told(said: str, state: str | None) -> None:
    rows = written.rows("22", ("cel",))
    origin = next(row for row in rows if isinstance(row, Cel) and row.kind == "CHAN_START" and row.context == "from-trunk" and row.exten != "s")
    mark = Cel(f"RingdeskConsent-{said}", origin.at, context="from-trunk", channel=origin.channel, uniqueid=origin.uniqueid, linkedid=origin.linkedid)
    assert written.calls([*rows, mark])[origin.linkedid].consent == state


def test_captures_and_files_are_of_the_same_calls() -> None:
    assert len(NAMES) == 128
    assert Path(written.FILES, "asterisk-22", "cel.gz").exists()
    assert any(isinstance(row, Cdr) for row in written.rows("16", ("cdr",)))
