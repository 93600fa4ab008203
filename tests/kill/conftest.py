"""A firm with a PostgreSQL of its own, which may be killed, and for each test a switch that survives."""

import itertools
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bench.kill.board import Board
from bench.kill.firm import Firm, end, firm, until
from bench.stage import SECRET
from service.core.config import Settings, SwitchSettings
from telephony import replay
from telephony.journal import segments

PEOPLE = 4
_numbers = itertools.count(1)


@dataclass
class Ear:
    """One switch and who listens to it."""

    place: Firm
    board: Board
    settings: Settings

    @property
    def switch(self) -> str:
        """The switch's name; rows of other tests have another."""
        return self.settings.switches[0].name

    @property
    def journal(self) -> Path:
        """Where its journal is."""
        return self.settings.journal_dir / self.switch

    def listen(self, *, wait: bool = True) -> "subprocess.Popen[bytes]":
        """`ringdesk listen` runs, and has signed in unless that is not waited for."""
        child = self.place.run("listen", log=self.switch, settings=self.settings)
        if wait:
            until(lambda: self.board.listened, "the listener to sign in", 30)
        return child

    def kill(self, listener: "subprocess.Popen[bytes]") -> float:
        """kill -9, and the switch has noticed; returns when."""
        at = time.time()
        listener.kill()
        listener.wait()
        until(lambda: not self.board.listened, "the switch to notice", 30)
        return at

    def calls(self) -> list[Any]:
        """This switch's calls in the books."""
        return self.place.rows("select * from call where switch = :switch order by call_key", switch=self.switch)

    def gaps(self) -> list[Any]:
        """This switch's gaps in the books."""
        return self.place.rows("select * from feed_gap where switch = :switch order by id", switch=self.switch)

    def pops(self) -> list[Any]:
        """This switch's pops in the books."""
        return self.place.rows("select * from agent_pop where switch = :switch order by id", switch=self.switch)

    def ended(self, count: int) -> list[Any]:
        """The calls, once so many have ended in the books."""
        until(lambda: sum(not call.live for call in self.calls()) >= count, f"{count} ended calls", 30)
        return self.calls()

    def replayed(self) -> list[dict[str, Any]]:
        """What the journal tells when it is played again."""
        played = replay.replay([path for _, path in segments(self.journal)])
        return [replay.told(call) for call in played.in_order()]

    def raw(self) -> bytes:
        """The journal's bytes."""
        return b"".join(path.read_bytes() for _, path in segments(self.journal))

    def said(self) -> str:
        """What the listeners of this switch have said."""
        return self.place.said(self.switch)


@pytest.fixture(scope="package")
def place() -> Iterator[Firm]:
    with firm(ami_port=1, people=PEOPLE) as found:
        yield found


@pytest.fixture
def ear(place: Firm) -> Iterator[Ear]:
    board = Board(PEOPLE, seed=1)
    name = f"ear{next(_numbers)}"
    switch = SwitchSettings(name=name, port=board.port, username="listener", secret=SECRET)
    place.rows("insert into extension_assignment (switch, extension, staff_id, valid_from) select :name, extension, staff_id, "
               "valid_from from extension_assignment where switch = 'pbx1' returning id", name=name)
    before = len(place.own)
    try:
        yield Ear(place, board, replace(place.settings, switches=(switch,)))
    finally:
        print(place.said(name))  # shown when the test fails
        for child in place.own[before:]:
            end(child)
        board.stop()
