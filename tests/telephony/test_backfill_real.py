"""A real switch is not heard for a while: its own files tell what happened, none missed, none twice, each as it was."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from service.core import clock, config, db, scope
from service.core.config import Settings, SwitchSettings
from telephony import backfill
from telephony.listener import Listener
from tests.asterisk.fixtures import asterisk
from tests.asterisk.lab import HOTLINE, STAFF, Lab
from tests.asterisk.phone import BUSY, RINGS
from tests.telephony.ami import until
from tests.telephony.test_listener import running

__all__ = ["asterisk"]
pytestmark = pytest.mark.asterisk


@pytest.fixture
def place(settings: Settings, committed_cast: SimpleNamespace, asterisk: Lab, tmp_path: Path) -> Settings:
    for phone in (*map(asterisk.phone, STAFF), asterisk.customers):
        phone.behaviour = RINGS
    switch = SwitchSettings(name="pbx1", host=asterisk.host, port=asterisk.ami_port, username="listener", secret=asterisk.secret,
                            files_timezone="UTC", **asterisk.files)  # type: ignore[arg-type]
    return replace(settings, data=tmp_path, switches=(switch,))


def rows(statement: str) -> list[Any]:
    with db.begin(scope.ALL) as session:
        return [tuple(row) for row in session.execute(text(statement)).all()]


def fill(place: Settings) -> backfill.Outcome:
    """The run that follows a gap, once the switch's last words are written."""
    time.sleep(backfill.SETTLED.total_seconds() + 1)
    return backfill.run(place, place.switches[0], why="after a gap", at=clock.now())


def answered(lab: Lab, number: str) -> None:
    lab.phone("1001").answers_after(0.3)
    call = lab.call_in(number).wait("up")
    lab.phone("1001").ringing().wait("up")
    time.sleep(1.5)
    call.hang_up()
    lab.phone("1001").behaviour = RINGS
    time.sleep(0.3)


def gives_up(lab: Lab, number: str) -> None:
    call = lab.call_in(number).wait("up")
    lab.phone("1002").ringing()
    time.sleep(0.8)
    call.hang_up()
    time.sleep(0.3)


def busy(lab: Lab, number: str) -> None:
    lab.phone("1003").behaviour = BUSY
    lab.call_in(number, None, "+442079461003").wait("ended")
    lab.phone("1003").behaviour = RINGS


class Wire:
    """A line to the switch that can be cut."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._ends: list[socket.socket] = []
        self._server: socket.socket | None = None
        self.port = 0
        self.mend()

    def mend(self) -> None:
        """Whoever calls is put through."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def cut(self) -> None:
        """Nobody is, and who was hears nothing any more."""
        assert self._server is not None
        for end in (self._server, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = server.accept()
                self._put_through(near)

    def _put_through(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._to)
        except OSError:  # the switch itself is down
            near.close()
            return
        self._ends += [near, far]
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)


@contextmanager
def deaf(wire: Wire) -> Iterator[None]:
    """The line to the switch is cut and stays so."""
    wire.cut()
    until(lambda: rows("select 1 from feed_gap where ended_at is null"), what="the gap")
    try:
        yield
    finally:
        wire.mend()
    until(lambda: not rows("select 1 from feed_gap where ended_at is null"), 40, what="the end of the gap")


TOLD = "select caller_number, disposition, answered_by, provenance from call where direction = 'inbound' order by started_at"


def test_what_happens_while_the_line_is_cut_is_filled(place: Settings, asterisk: Lab) -> None:
    wire = Wire(asterisk.ami_port)
    with running(Listener(place, replace(place.switches[0], port=wire.port))):
        answered(asterisk, "+441632960001")
        begun = asterisk.call_in("+441632960002").wait("up")
        asterisk.phone("1001").ringing().answer()
        time.sleep(0.5)
        with deaf(wire):
            time.sleep(0.5)
            begun.hang_up()
            answered(asterisk, "+441632960003")
            gives_up(asterisk, "+441632960004")
            busy(asterisk, "+441632960005")
        until(lambda: rows("select 1 from call where caller_number = '+441632960002' and not live"), what="the repair")

    done = fill(place)

    assert rows(TOLD) == [
        ("+441632960001", "answered", "1001", "live"),
        ("+441632960002", "answered", "1001", "backfilled"),
        ("+441632960003", "answered", "1001", "backfilled"),
        ("+441632960004", "abandoned", None, "backfilled"),
        ("+441632960005", "busy", None, "backfilled"),
    ]
    assert (done.found, done.mended, done.unreadable) == (3, 1, 0)
    assert rows("select bool_and(end_certain), bool_or(live) from call") == [(True, False)]
    assert rows("select count(*) filter (where filled_at is null) from feed_gap") == [(0,)]
    assert rows("select count(*) from job where name = 'backfill'") >= [(1,)]
    talk, = rows("select talk_seconds from call where caller_number = '+441632960003'")
    assert float(talk[0]) == pytest.approx(1.5, abs=0.3)
    assert (fill(place).found, len(rows(TOLD))) == (0, 5)


def test_a_listener_that_is_killed_misses_nothing_in_the_end(place: Settings, asterisk: Lab) -> None:
    listener = _listen(place)
    try:
        until(lambda: rows("select 1 from feed_state where up"), 30, "the listener")
        answered(asterisk, "+441632960011")
        begun = asterisk.call_in("+441632960012").wait("up")
        asterisk.phone("1001").ringing().answer()
        time.sleep(0.5)
        os.killpg(listener.pid, signal.SIGKILL)
        listener.wait(10)
        gives_up_too = asterisk.call_in("+441632960013").wait("up")
        time.sleep(0.5)
        gives_up_too.hang_up()
        begun.hang_up()
        answered(asterisk, "+441632960014")
        listener = _listen(place)
        until(lambda: rows("select 1 from feed_gap where ended_at is not null"), 30, "the end of the gap")
        answered(asterisk, "+441632960015")
        until(lambda: rows("select 1 from call where caller_number = '+441632960015' and not live"), what="the last call")
    finally:
        os.killpg(listener.pid, signal.SIGKILL)
        listener.wait(10)

    fill(place)

    assert [(number, disposition) for number, disposition, _, _ in rows(TOLD) if number >= "+441632960011"] == [
        ("+441632960011", "answered"), ("+441632960012", "answered"), ("+441632960013", "abandoned"),
        ("+441632960014", "answered"), ("+441632960015", "answered")]
    assert rows("select count(*) from feed_gap where filled_at is null") == [(0,)]


def _listen(place: Settings) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "service", "listen"], env=os.environ | config.exported(place), start_new_session=True)


def test_a_number_that_is_withheld_in_a_gap_is_told_to_nobody(place: Settings, asterisk: Lab) -> None:
    call = asterisk.customers.dial(HOTLINE, user="anonymous", name="Anonymous", asserted="+441632960021").wait("up")
    time.sleep(0.5)
    call.hang_up()
    fill(place)
    assert rows("select caller_number, caller_name, disposition from call where called = '" + HOTLINE + "' order by started_at desc limit 1") == [
        ("anonymous", None, "abandoned")]
    assert rows("select 1 from call where caller_number = '+441632960021' or caller_e164 = '+441632960021'") == []


def test_what_the_dialplan_says_of_consent_is_beside_the_call(place: Settings, asterisk: Lab) -> None:
    asterisk.phone("1001").answers_after(0.3)
    call = asterisk.call_in("+441632960022", "Maria", HOTLINE).wait("up")
    asterisk.phone("1001").ringing().wait("up")
    call.hang_up()
    for _twice in range(2):
        fill(place)
    named = "select k.state, k.by_id from call_consent k join call_alias a using (switch, uniqueid) join call c on c.id = a.call_id"
    assert rows(f"{named} where c.caller_number = '+441632960022'") == [("announced", None)]
