"""The doctor at real switches: one set up by our own files, and some that are not."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from service.core.config import SwitchSettings
from telephony.doctor import examine
from telephony.doctor.conf import Conf
from telephony.doctor.facts import Desk, Facts
from telephony.doctor.finding import Finding
from telephony.doctor.visit import visit
from tests.asterisk.fixtures import asterisk as asterisk
from tests.asterisk.lab import OVERLAY, Lab
from tests.asterisk.phone import RINGS

pytestmark = pytest.mark.asterisk
DESK = Desk(frozenset({"support", "sales"}), frozenset({"1001", "1002", "1003"}))
USERS, PLAN, STEPS = "manager.d/ringdesk.conf", "extensions.conf", "extensions_ringdesk.conf"


def listener(lab: Lab, **more: object) -> SwitchSettings:
    return replace(SwitchSettings("pbx1", lab.host, lab.ami_port, lab.username, lab.secret), **more)  # type: ignore[arg-type]


def examined(lab: Lab, listen: float = 0.3, conf: bool = False, **more: object) -> dict[str, Finding]:
    switch = listener(lab, **more)
    seen, heard = visit(switch, listen=listen)
    facts = Facts(switch, seen, heard, Conf(lab.home / "etc") if conf else None, DESK)
    return {finding.code: finding for finding in examine(facts)}


@contextmanager
def calls(lab: Lab, count: int) -> Iterator[None]:
    """Customers call the hotline and are answered while the doctor listens."""
    lab.phone("1001").answers_after(0.1)

    def ring() -> None:
        time.sleep(0.3)
        for _ in range(count):
            call = lab.call_in("+441632960381", "Maria").wait("up")
            lab.phone("1001").ringing().wait("up")
            time.sleep(0.2)
            call.hang_up()
            time.sleep(0.3)

    thread = threading.Thread(target=ring)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        lab.phone("1001").behaviour = RINGS


@contextmanager
def other(tmp_path: Path, changes: dict[str, list[tuple[str, str]]]) -> Iterator[Lab]:
    """A switch whose files differ from ours in these lines."""
    overlay = tmp_path / "overlay"
    shutil.copytree(OVERLAY, overlay)
    for name, pairs in changes.items():
        text = (overlay / name).read_text("utf-8")
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        (overlay / name).write_text(text, "utf-8")
    with Lab(overlay=overlay) as lab:
        yield lab


def test_a_switch_set_up_by_our_files_has_nothing_wrong(asterisk: Lab) -> None:
    with calls(asterisk, 6):
        found = examined(asterisk, listen=9, conf=True, actor_username="actor", actor_secret=asterisk.secret)

    assert {code: str(one.verdict) for code, one in found.items() if one.verdict in ("wrong", "warning")}.keys() <= {
        "queuelog.names", "cel.off", "cel.apps"}  # the small office beside our files is not ours to judge
    assert {"login.ok", "rights.ok", "actor.ok", "twice.ok", "clock.ok", "classes.ok", "hidden.ok", "flood.ok", "stamps.ok", "writetimeout.ok", "cdr.ok",
            "trunks.ok", "queues.ok", "seats.ok", "recording.ok", "withheld.called", "forged.none"} <= set(found)
    assert found["trunks.ok"].values["contexts"] == "from-trunk"


def test_a_switch_that_is_set_up_badly_is_told_so_line_by_line(asterisk: Lab, tmp_path: Path) -> None:
    changes = {
        USERS: [("timestampevents = yes", "timestampevents = no"), ("read = system,call,agent,user,cdr\nwrite = reporting\nwritetimeout = 5000",
                                                                     "read = all\nwrite = all\neventfilter = !Event: VarSet")],
        PLAN: [("RINGDESK_PBX = pbx1", "RINGDESK_PBX = elsewhere"), ("Gosub(ringdesk-withheld,s,1)", "NoOp()")],
    }  # fmt: skip
    with other(tmp_path, changes) as lab:
        with calls(lab, 2):
            found = examined(lab, listen=4)
        read = examined(lab, conf=True, actor_username="listener", actor_secret=lab.secret)
        other_way = examined(asterisk, actor_username="listener", actor_secret=asterisk.secret)
        strange = examined(lab, trunk_contexts=("outside",))

    assert {"stamps.off", "rights.grave", "flood.classes", "recording.pbx", "withheld.missing", "writetimeout.unseen"} <= set(found)
    assert {"actor.grave"} <= set(read)
    assert "MixMonitorMute" in other_way["actor.missing"].values["actions"]
    assert "originate" in found["rights.grave"].values["rights"]
    assert "dialplan" in found["flood.classes"].values["classes"]
    assert found["stamps.off"].fixes[0].lines == ("[general]", "timestampevents = yes")
    assert {"writetimeout.short", "hidden.loose"} <= set(read)
    assert strange["trunks.strange"].values["endpoints"] == "trunk"


def test_the_filters_it_prints_hide_what_they_name_and_nothing_a_caller_can_choose(asterisk: Lab, tmp_path: Path) -> None:
    filters = "eventfilter = !^Event: VarSet\neventfilter = !^Event: Newexten\n"
    with other(tmp_path, {USERS: [("read = system,call,agent,user,cdr", f"{filters}read = system,call,agent,user,cdr,dialplan")]}) as lab:
        seen, heard = _listened(lab, "Event: VarSet")

    assert seen.inside
    assert heard["Newchannel"] >= 3
    assert heard["VarSet"] + heard["Newexten"] == 0


def test_a_loose_filter_lets_a_caller_vanish(asterisk: Lab, tmp_path: Path) -> None:
    """Why the doctor calls it wrong: the caller's name hides the caller's channel."""
    with other(tmp_path, {USERS: [("read = system,call,agent,user,cdr", "eventfilter = !Event: VarSet\nread = system,call,agent,user,cdr")]}) as lab:
        _, plain = _listened(lab, "Maria")
        _, hidden = _listened(lab, "Event: VarSet")

    assert hidden["Hangup"] < plain["Hangup"]


def _listened(lab: Lab, name: str) -> tuple[object, dict[str, int]]:
    lab.phone("1001").answers_after(0.1)

    def ring() -> None:
        time.sleep(0.3)
        call = lab.call_in("+441632960381", name).wait("up")
        lab.phone("1001").ringing().wait("up")
        time.sleep(0.2)
        call.hang_up()

    thread = threading.Thread(target=ring)
    thread.start()
    seen, heard = visit(listener(lab), listen=3)
    thread.join()
    return seen, heard.events


def test_a_user_that_is_let_in_once_is_not_thrown_out_by_the_doctor(asterisk: Lab, tmp_path: Path) -> None:
    with other(tmp_path, {USERS: [("[listener]\n", "[listener]\nallowmultiplelogin = no\n")]}) as lab:
        assert "twice.no" in examined(lab)
        with lab.ami() as link:
            link.settimeout(3)
            while b"Message: Authentication accepted" not in link.recv(4096):
                pass
            found = examined(lab)
            link.sendall(b"Action: Ping\r\nActionID: still-here\r\n\r\n")
            heard = b""
            while b"still-here" not in heard:
                heard += link.recv(4096)

    assert {"reach.ok", "login.in-use"} <= set(found)
    assert not {code for code in found if code.startswith(("rights", "clock", "version"))}


def test_a_wrong_secret_and_a_wrong_door_are_told_apart(asterisk: Lab) -> None:
    assert {"reach.ok", "login.refused"} <= set(examined(asterisk, secret="guess"))
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        assert "reach.away" in examined(asterisk, port=place.getsockname()[1])


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example", "no-such-host.invalid"])
def test_a_name_that_is_no_host_is_away(host: str) -> None:
    assert visit(SwitchSettings(host=host))[0].outcome == "away"


def test_what_is_no_switch_is_called_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            link, _ = server.accept()
            link.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            time.sleep(0.2)
            link.close()

        threading.Thread(target=answer, daemon=True).start()
        seen, _ = visit(SwitchSettings(port=server.getsockname()[1]))
    assert (seen.outcome, seen.why) == ("stranger", "SSH-2.0-OpenSSH_9.2")
