"""One engine for the bench and the suite: calls ring, processes die at random moments, the product brings them back."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from bench.kill import proof
from bench.kill.board import Board
from bench.kill.firm import Firm, firm, until
from bench.kill.watchers import Browser, Nights, Pulse, Reader, Watcher, whole_night
from etl import nightly
from service.core.errors import DeskError

VICTIMS = ("listener", "web", "postgresql", "night")
WORDS = {"listener": "listen", "web": "web"}
PEOPLE, WATCHED = 12, 4
CALM = 1.5  # seconds of calls before anybody dies
ENOUGH = 6  # calls without which a round proves little
SETTLE = 60.0  # seconds until everything must have been caught up with


@dataclass
class Told:
    """One round: who died when (seconds after its start), and what was found to be wrong."""

    number: int
    deaths: list[tuple[str, float]] = field(default_factory=list)
    calls: int = 0
    deaf: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def sentence(self, of: "Rounds") -> str:
        """The round in one sentence."""
        died = ", ".join(f"{name} after {at:.1f} s" for name, at in self.deaths)
        found = "; ".join(self.wrong) or (
            f"{self.calls} calls rang and each that was heard is told once; deaf for {self.deaf:.1f} s, on record; "
            f"{of.reader.reads} reads up to generation {max(of.reader.generations, default=0)}, none torn"
        )
        return f"Round {self.number}: killed {died}; {found}."


class Rounds:
    """A firm under calls; each round kills some of its processes and proves what is left."""

    def __init__(self, place: Firm, board: Board, seed: int) -> None:
        self.firm, self.board = place, board
        self.random = random.Random(seed)
        self.browsers = [Browser(place, person) for person in (1, 2, PEOPLE - 1, PEOPLE)[:WATCHED]]
        self.reader = Reader(place.settings.warehouse_dir)
        self.pulse = Pulse(place)
        self._said = 0
        self._known: set[str] = set()
        self._waiting: list[str] = []

    def begin(self) -> None:
        """Everything runs, the first night of the timetable is done, and everybody looks on."""
        self.firm.start()
        until(lambda: self.board.listened, "the listener to sign in")
        until(lambda: self.firm.rows("select 1 from night_run where state = 'published'"), "the first night")
        for watcher in self._watchers():
            watcher.start()
        until(lambda: all(browser.opened for browser in self.browsers), "the browsers' streams")

    def end(self) -> None:
        """Nobody looks on any more."""
        for watcher in self._watchers():
            watcher.stop()

    def _watchers(self) -> list[Watcher]:
        return [*self.browsers, self.reader, self.pulse]

    def victims(self) -> list[str]:
        """Two of the four, so that in two rounds each dies; now and then somebody dies twice."""
        if not self._waiting:
            self._waiting = self.random.sample(VICTIMS, len(VICTIMS))
        two, self._waiting = self._waiting[:2], self._waiting[2:]
        return two + self.random.choices(VICTIMS, k=1) if self.random.random() < 0.3 else two

    def play(self, number: int) -> Told:
        """One round, from the first ring to the proof."""
        told, before, deaf = Told(number), len(self.board.truths()), self._deaf()
        first = self.board.rung
        nights = Nights(self.firm, self.random, str(number))
        self.board.open()
        nights.start()
        try:
            self._deaths(told, nights)
            self._recovered()
            time.sleep(self.random.uniform(0.5, 1.5))
            until(lambda: self.board.rung - first >= ENOUGH, "enough callers")
        finally:
            self.board.close()
            nights.stop()
        until(self.board.idle, "the calls to end")
        told.calls, told.deaf = len(self.board.truths()) - before, self._deaf() - deaf
        told.wrong = [*nights.wrong, *self._proven(number)]
        return told

    def _deaf(self) -> float:
        heard = self.board.heard
        return sum(other[0] - one[1] for one, other in pairwise(heard))

    def _deaths(self, told: Told, nights: Nights) -> None:
        began = time.time()
        time.sleep(CALM)
        for name in self.victims():
            time.sleep(self.random.uniform(0.0, 2.5))
            if name == "night":
                at = nights.kill_one()
            else:
                at = self.firm.kill_postgresql() if name == "postgresql" else self.firm.kill(WORDS[name])
            told.deaths.append((name, at - began))

    def _recovered(self) -> None:
        """The supervisor has brought everything back."""
        until(self.firm.answers, "PostgreSQL to come back")
        self.firm.healthy()
        until(lambda: self.board.listened, "the listener to come back")
        until(lambda: not self.firm.rows("select 1 from feed_gap where ended_at is null"), "the gap to end")

    def _proven(self, number: int) -> list[str]:
        """What is wrong once everything has had its time; the store and the browsers may lag behind the calls."""
        end = time.monotonic() + SETTLE
        while (wrong := self._new(proof.findings(self.firm, self.board, self.browsers))) and time.monotonic() < end:
            time.sleep(0.3)
        self._known |= set(wrong)
        silent = self._new(proof.silent(self.firm, self.board, self._troubled()))
        self._known |= set(silent)
        wrong += silent
        wrong += self._fell()
        undisturbed = whole_night(self.firm, f"undisturbed-{number}")
        wrong += [undisturbed] if undisturbed else proof.nights(self.firm)
        for watcher in self._watchers():
            wrong += watcher.wrong
            watcher.wrong = []
        return wrong

    def _new(self, wrong: list[str]) -> list[str]:
        """What no round before this one has told: the proof is of all calls so far."""
        return [sentence for sentence in wrong if sentence not in self._known]

    def _troubled(self) -> list[tuple[float, float]]:
        """The spans in which no pop can be asked for: nobody listened, or PostgreSQL was away."""
        heard = [(one[1], other[0]) for one, other in pairwise(self.board.heard)]
        return heard + [(span[0], span[-1]) for span in self.pulse.away]

    def _fell(self) -> list[str]:
        """What the listener said of its own faults since the last round."""
        said, self._said = self.firm.said("up")[self._said :], len(self.firm.said("up"))
        faults = [line for line in said.splitlines() if line.startswith("listen") and "Error" in line and "psycopg2" not in line]
        return [f"the listener said: {faults[-1]}"] if "listen pbx1: Traceback" in said and faults else []

    def second_night(self) -> str:
        """What a night says that is begun while another one runs."""
        with nightly.locked(self.firm.settings):
            child = self.firm.run("night", log="second")
            code = child.wait(120)
        if code == 0:
            raise DeskError("A second night ran beside the first.")
        return self.firm.said("second").strip()


@contextmanager
def rounds(seed: int) -> Iterator[Rounds]:
    """The firm, its switch and everybody who looks on; all of it is gone afterwards."""
    with ExitStack() as stack:
        board = Board(PEOPLE, seed)
        stack.callback(board.stop)
        place = stack.enter_context(firm(board.port, PEOPLE))
        found = Rounds(place, board, seed)
        stack.callback(found.end)
        found.begin()
        yield found
