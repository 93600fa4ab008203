"""A listener that stands still longer than the switch has patience: the switch hangs up, and both calls are told honestly."""

import os
import signal
from dataclasses import replace

import pytest

from bench.kill.firm import until
from tests.kill.conftest import Ear
from tests.telephony.ami import SECRET, Ami, frames, moved

FLOOD = b"Event: VarSet\r\nVariable: X\r\nValue: " + b"x" * 800 + b"\r\n\r\n"
PATIENCE = 0.1  # seconds, as Asterisk's writetimeout is by default


def said(found: list[bytes]) -> bytes:
    return b"".join(frame + b"\r\n\r\n" for frame in found)


def test_who_reads_too_slowly_is_cut_off_connects_again_and_loses_no_later_call(ear: Ear) -> None:
    ami = Ami()
    settings = replace(ear.settings, switches=(replace(ear.settings.switches[0], port=ami.port, secret=SECRET),))
    first = frames("asterisk-22/a-inbound-answered")
    half = [at for at, frame in enumerate(first) if frame.startswith(b"Event: BridgeEnter")][1] + 1
    listener = ear.place.run("listen", log=ear.switch, settings=settings)
    try:
        until(lambda: ami.logins == 1, "the listener to sign in", 30)
        ami.say(said(first[:half]))
        until(lambda: [call for call in ear.calls() if call.answered_at], "the answered call", 30)
        os.killpg(listener.pid, signal.SIGSTOP)
        ami.patience = PATIENCE
        with pytest.raises(TimeoutError):
            while True:
                ami.say(FLOOD * 100)
        ami.cut()
        os.killpg(listener.pid, signal.SIGCONT)
        until(lambda: ami.logins == 2, "another connection", 30)
        until(lambda: [gap.ended_at for gap in ear.gaps()] not in ([], [None]), "the end of the gap", 30)
        ami.say(said(moved(frames("asterisk-22/b-abandoned", fresh=False))))
        calls = ear.ended(2)
    finally:
        ami.close()

    assert [(call.disposition, call.provenance, call.end_certain) for call in calls] == [
        ("answered", "repaired", False), ("abandoned", "live", True)]
    assert [gap.reason for gap in ear.gaps()] == ["connection lost"]
