"""The ear against a line that talks, breaks, lies and falls silent, with the real database behind it."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from service.core import db, scope
from service.core.config import Settings, SwitchSettings
from telephony import journal, replay
from telephony.listener import Listener, in_turn
from telephony.wire import BANNER
from tests.telephony.ami import SECRET, Ami, frames, until


@pytest.fixture
def ami() -> Iterator[Ami]:
    server = Ami()
    yield server
    server.close()


@pytest.fixture
def ready(settings: Settings, committed_cast: SimpleNamespace, tmp_path: Path) -> Settings:
    return replace(settings, data=tmp_path)


@contextmanager
def listening(settings: Settings, ami: Ami) -> Iterator[Listener]:
    """A listener of the scripted switch."""
    switch = SwitchSettings(name="pbx1", host="127.0.0.1", port=ami.port, username="listener", secret=SECRET)
    with running(Listener(settings, switch)) as listener:
        yield listener


@contextmanager
def running(listener: Listener) -> Iterator[Listener]:
    """A listener in a thread of its own, whose turn it is, ended in an orderly way."""
    listener.sink.may_store()
    loop = asyncio.new_event_loop()
    task = loop.create_task(listener.run())
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])), daemon=True)
    thread.start()
    until(lambda: listener.link.logins > 0 and not listener.resync.wanted, what="the first snapshot")
    try:
        yield listener
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(15)
        assert not thread.is_alive()


def test_a_second_listener_stands_by_and_takes_over(ready: Settings, ami: Ami, tmp_path: Path) -> None:
    """It has a folder of its own, as on another machine."""
    switch = SwitchSettings(name="pbx1", host="127.0.0.1", port=ami.port, username="listener", secret=SECRET)
    loop = asyncio.new_event_loop()

    async def second() -> None:
        await (await in_turn(replace(ready, data=tmp_path / "other"), switch)).run()

    with listening(ready, ami):
        task = loop.create_task(second())
        thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])), daemon=True)
        thread.start()
        time.sleep(2.5)
        assert ami.logins == 1
    began = time.monotonic()
    until(lambda: ami.logins == 2, what="the other one's turn")
    assert time.monotonic() - began < 5
    ami.say(b"".join(frame + b"\r\n\r\n" for frame in frames("asterisk-22/a-inbound-answered")))
    until(lambda: rows(ready, "select 1 from call where not live"))
    assert [tuple(row) for row in rows(ready, "select disposition, count(*) from call group by 1")] == [("answered", 1)]
    loop.call_soon_threadsafe(task.cancel)
    thread.join(15)


def rows(settings: Settings, statement: str) -> list[Any]:
    engine = db.engine(settings.dsn_app, name="test", pool_size=1)
    try:
        with db.begin(scope.ALL, engine) as session:
            return list(session.execute(text(statement)).all())
    finally:
        engine.dispose()


def test_a_call_is_popped_and_stored(ready: Settings, ami: Ami) -> None:
    with listening(ready, ami):
        for frame in frames("asterisk-22-callcapture/a-inbound-answered"):
            ami.say(frame + b"\r\n\r\n")
        until(lambda: rows(ready, "select 1 from call where not live"), what="the stored call")

    call = rows(ready, "select caller_number, called, queue, agent, disposition, hangup_by, provenance, end_certain from call")
    assert [tuple(row) for row in call] == [
        ("+441632960381", "+442079460100", "support", "1002", "answered", "caller", "live", True)]
    pops = rows(ready, "select extension, state from agent_pop order by extension")
    assert [tuple(row) for row in pops] == [("1001", "answered-elsewhere"), ("1002", "ended")]
    legs = rows(ready, "select extension, outcome from call_leg order by extension")
    assert [tuple(row) for row in legs] == [("1001", "elsewhere"), ("1002", "answered"), ("1003", "elsewhere")]


def test_the_journal_is_what_was_said_and_replays(ready: Settings, ami: Ami) -> None:
    said = b"".join(frame + b"\r\n\r\n" for frame in frames("asterisk-22-callcapture/f2-recorded-by-ami"))
    with listening(ready, ami):
        ami.say(said)
        until(lambda: rows(ready, "select 1 from call where not live"))

    paths = [path for _, path in journal.segments(ready.journal_dir / "pbx1")]
    assert said in paths[0].read_bytes()
    told = [replay.told(call) for call in replay.replay(paths).in_order()]
    assert [call["disposition"] for call in told] == ["answered"]
    assert told[0]["recorded"]


def test_a_cut_in_a_call_is_one_call_with_an_honest_end_and_a_gap(ready: Settings, ami: Ami) -> None:
    said = frames("asterisk-22/a-inbound-answered")
    half = next(i for i, frame in enumerate(said) if frame.startswith(b"Event: HangupRequest"))
    with listening(ready, ami):
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[:half]))
        until(lambda: rows(ready, "select 1 from call where live and answered_at is not null"))
        ami.cut()
        until(lambda: ami.logins == 2, what="the second log-in")
        until(lambda: rows(ready, "select 1 from call where not live"), what="the end of the call")
        until(lambda: rows(ready, "select 1 from feed_gap where ended_at is not null"), what="the end of the gap")

    call = rows(ready, "select disposition, hangup_by, provenance, end_certain, agent from call")
    assert [tuple(row) for row in call] == [("answered", None, "repaired", False, "1002")]
    gap = rows(ready, "select began_at <= ended_at, reason from feed_gap")
    assert [tuple(row) for row in gap] == [(True, "connection lost")]
    assert rows(ready, "select 1 from agent_pop where state in ('ringing', 'talking')") == []


def test_a_call_that_is_still_up_goes_on_after_a_cut(ready: Settings, ami: Ami) -> None:
    said = frames("asterisk-22/a-inbound-answered")
    half = next(i for i, frame in enumerate(said) if frame.startswith(b"Event: HangupRequest"))
    ami.channels = shown(said[:half])
    with listening(ready, ami):
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[:half]))
        until(lambda: rows(ready, "select 1 from call where answered_at is not null"))
        ami.cut()
        until(lambda: rows(ready, "select 1 from feed_gap where ended_at is not null"))
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[half:]))
        until(lambda: rows(ready, "select 1 from call where not live"))

    call = rows(ready, "select disposition, hangup_by, provenance, end_certain from call")
    assert [tuple(row) for row in call] == [("answered", "caller", "live", True)]


def shown(said: list[bytes]) -> list[bytes]:
    """The snapshot of what these events left up."""
    up: dict[bytes, bytes] = {}
    for frame in said:
        head = dict(line.split(b": ", 1) for line in frame.split(b"\r\n") if b": " in line)
        if head[b"Event"] in (b"Newchannel", b"BridgeEnter", b"Newstate"):
            bridge = head.get(b"BridgeUniqueid", b"")
            kept = [line for line in frame.split(b"\r\n")[1:] if not line.startswith((b"Bridge", b"Timestamp"))]
            up[head[b"Uniqueid"]] = b"\r\n".join([b"Event: CoreShowChannel", *kept, b"BridgeId: " + bridge, b"Duration: 00:00:03"])
        elif head[b"Event"] == b"Hangup":
            up.pop(head[b"Uniqueid"], None)
    return list(up.values())


def test_a_restart_of_the_switch_ends_its_calls(ready: Settings, ami: Ami) -> None:
    said = frames("asterisk-22/b-abandoned")
    with listening(ready, ami):
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[:40]))
        until(lambda: rows(ready, "select 1 from call where live"))
        ami.began = __import__("time").time() + 3
        ami.cut()
        until(lambda: rows(ready, "select 1 from call where not live"))

    call = rows(ready, "select disposition, provenance, end_certain from call")
    assert [tuple(row) for row in call] == [("failed", "repaired", False)]


def test_a_restarted_listener_tells_nothing_twice(ready: Settings, ami: Ami) -> None:
    said = frames("asterisk-22/a-inbound-answered")
    half = next(i for i, frame in enumerate(said) if frame.startswith(b"Event: AgentConnect"))
    with listening(ready, ami):
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[:half]))
        until(lambda: rows(ready, "select 1 from call where live"))
    ami.channels = shown(said[:half])
    ami.logins = 0
    with listening(ready, ami):
        until(lambda: rows(ready, "select 1 from feed_gap where ended_at is not null"))
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[half:]))
        until(lambda: rows(ready, "select 1 from call where not live"))

    call = rows(ready, "select disposition, agent, end_certain from call")
    assert [tuple(row) for row in call] == [("answered", "1002", True)]
    assert [tuple(row) for row in rows(ready, "select reason from feed_gap")] == [("the listener was stopped",)]


def test_a_word_about_an_ended_call_costs_no_other_call_and_no_start(ready: Settings, ami: Ami) -> None:
    first, second = frames("asterisk-22/b-abandoned"), frames("asterisk-22/d2-direct-answered")
    own = next(line for frame in first for line in frame.split(b"\r\n") if line.startswith(b"Linkedid: "))
    late = b"Event: UserEvent\r\nUserEvent: RecordingDone\r\nFile: x.wav\r\n" + own
    with listening(ready, ami):
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in [*first, late, *second]))
        until(lambda: len(rows(ready, "select 1 from call where not live")) == 2, what="the second call")
    with db.begin(scope.ALL) as session:  # all of it is read again
        session.execute(text("update feed_checkpoint set low_segment = '', low_offset = 0"))
    with listening(ready, ami) as again:
        assert not again.floor.calls
    assert len(rows(ready, "select 1 from call where not live")) == 2


def test_a_switch_that_hangs_up_at_once_leaves_no_files(ready: Settings) -> None:
    listener = Listener(ready, SwitchSettings(name="pbx1"))
    try:
        for _ in range(3):
            listener.on_line()
        assert journal.segments(listener.journal.folder) == []
        for _ in range(2):
            listener.on_line()
            listener.on_data(BANNER + b"11.0.0\r\n")
            listener.on_data(b"Event: FullyBooted\r\n\r\n")
        assert [segment for segment, _ in journal.segments(listener.journal.folder)] == [1, 2]
    finally:
        listener.journal.close()


def test_a_log_in_that_cannot_be_sent_is_told(ready: Settings, ami: Ami, caplog: pytest.LogCaptureFixture) -> None:
    listener = Listener(ready, SwitchSettings(name="pbx1", port=ami.port, username="a\nb"))

    async def tried() -> None:
        task = asyncio.create_task(listener.run())
        await asyncio.to_thread(until, lambda: "could not be sent" in caplog.text, 10.0, "the sentence")
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(tried())
    assert "control character" in caplog.text


def test_who_handed_the_call_on_talks_no_longer(ready: Settings, ami: Ami) -> None:
    """The agent's end is heard, the caller's is not: the caller talks elsewhere."""
    said = frames("asterisk-22/a-inbound-answered")
    own = next(line for frame in said if frame.startswith(b"Event: Newchannel") for line in frame.split(b"\r\n")
               if line.startswith(b"Uniqueid: "))
    ends = (b"Event: HangupRequest", b"Event: BridgeLeave", b"Event: Hangup")
    with listening(ready, ami) as listener:
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said if not (frame.startswith(ends) and own in frame)))
        until(lambda: rows(ready, "select 1 from agent_pop where state = 'ended'"), what="the end of the agent's pop")
        pops = rows(ready, "select extension, state from agent_pop where state <> 'answered-elsewhere'")
        assert [tuple(row) for row in pops] == [("1002", "ended")]
        assert len(listener.floor.calls) == 1  # and it goes on


def test_an_end_that_was_told_too_late_is_made_good(ready: Settings, ami: Ami, monkeypatch: pytest.MonkeyPatch) -> None:
    said = frames("asterisk-22/b-abandoned")
    rings = [i for i, frame in enumerate(said) if frame.startswith(b"Event: Newstate") and b"Desc: Ringing" in frame]
    half = rings[-1] + 1
    with listening(ready, ami) as listener:
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[:half]))
        until(lambda: rows(ready, "select 1 from agent_pop where state = 'ringing'"), what="a phone that rings")
        monkeypatch.setattr("telephony.pops.POP_LATE", 0.0)
        ami.say(b"".join(frame + b"\r\n\r\n" for frame in said[half:]))
        until(lambda: not listener.floor.calls and listener.sink.pops.late > 0, what="the end, told too late")
        monkeypatch.undo()
        until(lambda: not rows(ready, "select 1 from agent_pop where state = 'ringing'"), what="the end of the pops")


def test_a_silent_switch_is_given_up(ready: Settings, ami: Ami, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.link.PING_EVERY", 0.2)
    monkeypatch.setattr("telephony.link.PING_DEADLINE", 0.5)
    with listening(ready, ami):
        until(lambda: ami.logins == 1)
        ami.mute = True
        until(lambda: ami.connections > 1, what="the second connection")
        ami.mute = False
        until(lambda: ami.logins == 2, what="the second log-in")


def test_no_action_is_sent_again_after_a_cut(ready: Settings, ami: Ami) -> None:
    with listening(ready, ami) as listener:
        ami.mute = True
        listener.link.loop.call_soon_threadsafe(listener.link.ask, "CoreStatus")
        until(lambda: any(asked["action"] == "CoreStatus" for asked in ami.actions))
        ami.mute = False
        ami.cut()
        until(lambda: ami.logins == 2)
        until(lambda: rows(ready, "select 1 from feed_gap where ended_at is not null"))

    assert sum(asked["action"] == "CoreStatus" for asked in ami.actions) == 1


def test_the_secret_never_travels(ready: Settings, ami: Ami) -> None:
    with listening(ready, ami):
        pass
    assert not any(SECRET in value for asked in ami.actions for value in asked.values())


def test_a_second_listener_is_refused(ready: Settings, ami: Ami) -> None:
    switch = SwitchSettings(name="pbx1", port=ami.port, username="listener", secret=SECRET)
    with listening(ready, ami), pytest.raises(journal.JournalError, match="Another listener"):
        Listener(ready, switch)


def test_a_wrong_secret_is_one_sentence_and_not_zero(ready: Settings, ami: Ami) -> None:
    ami.secret = "another"
    (ready.data / "ringdesk.toml").write_text(
        f'dsn_owner = "{ready.dsn_owner}"\ndsn_app = "{ready.dsn_app}"\ndsn_night = "{ready.dsn_night}"\n'
        f'[[switches]]\nname = "pbx1"\nport = {ami.port}\nsecret = "wrong"\n')
    done = subprocess.run([sys.executable, "-m", "service", "listen", "--once"], capture_output=True, text=True,
                          env={"RINGDESK_DATA": str(ready.data), "PATH": "/usr/bin"}, timeout=30, check=False)

    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "INFO" not in line]
    assert len(said) == 1
    assert "refuses the user listener" in said[0]
    assert "Traceback" not in done.stderr
