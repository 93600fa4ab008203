"""Who looks on while processes die: browsers with open streams, a reader of the archive, and nights that come and go."""

import http.client
import json
import random
import re
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from bench.kill.firm import Firm, end
from warehouse import engine
from warehouse.read import Archive, Generation, NothingYet

NIGHT_LASTS = 3.0  # about; a kill falls somewhere in it
_SENTENCE = re.compile(r"^(Error: |Not published: |Generation |night )", re.MULTILINE)


class Watcher:
    """A thread that looks until it is stopped; `wrong` holds what must not be."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """It looks."""
        self._thread.start()

    def stop(self) -> None:
        """It looks no more."""
        self.stopping.set()
        self.wake()
        self._thread.join(60)

    def wake(self) -> None:
        """What it waits for is broken off."""

    def _run(self) -> None:
        while not self.stopping.is_set():
            self.look()

    def look(self) -> None:
        """One look."""
        raise NotImplementedError


class Browser(Watcher):
    """One person's open page: comes back by itself with the id of the last event, and reads anew when told to."""

    def __init__(self, firm: Firm, person: int) -> None:
        super().__init__()
        self.person, self.seen, self.opened = person, set[int](), 0
        self._where, self._cookie = firm.settings.port, firm.cookie(person)
        self._last = ""
        self._line: http.client.HTTPConnection | None = None

    def look(self) -> None:
        """One stream, until it ends."""
        try:
            self._stream()
        except (OSError, http.client.HTTPException, AttributeError):  # closed under it, by either side
            pass
        finally:
            if self._line is not None:
                self._line.close()
        self.stopping.wait(0.2)

    def _stream(self) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", self._where, timeout=40)
        headers = {"Cookie": f"ringdesk={self._cookie}"} | ({"Last-Event-ID": self._last} if self._last else {})
        self._line.request("GET", "/live", headers=headers)
        answer = self._line.getresponse()
        if answer.status == 401:
            self.wrong.append(f"person {self.person} was signed out")
            self.stopping.wait(1)
        if answer.status != 200:
            return
        self.opened += 1
        event: dict[str, str] = {}
        while (line := answer.readline()) and not self.stopping.is_set():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif not self._heard(event):
                return
            else:
                event = {}

    def _heard(self, event: dict[str, str]) -> bool:
        self._last = event.get("id", self._last)
        kind = event.get("event")
        if kind == "pop":
            self.seen.add(json.loads(event["data"])["pop_id"])
        elif kind == "snapshot":
            self.seen |= {pop["pop_id"] for pop in json.loads(event["data"])["pops"]}
        return kind != "resync"

    def wake(self) -> None:
        """The stream is torn down."""
        with suppress(AttributeError, OSError):
            self._line.sock.shutdown(2)  # type: ignore[union-attr]


class Pulse(Watcher):
    """Notes when PostgreSQL did not answer: `away` holds the spans."""

    def __init__(self, firm: Firm) -> None:
        super().__init__()
        self.firm, self.away = firm, list[list[float]]()

    def look(self) -> None:
        """One question."""
        at, answered = time.time(), self.firm.answers()
        open_ = bool(self.away and len(self.away[-1]) == 1)
        if not answered and not open_:
            self.away.append([at])
        elif answered and open_:
            self.away[-1].append(time.time())
        self.stopping.wait(0.05)


class Reader(Watcher):
    """Somebody at the boards: each read asks several tables of the archive, which must be of one whole generation."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.reads, self.generations = folder, 0, set[int]()
        self._kept = Archive(folder)

    def look(self) -> None:
        """One read, in turn from a page that stays open and from a new one."""
        archive = self._kept if self.reads % 2 else Archive(self.folder)
        try:
            self._read(archive.generation())
        except NothingYet:
            if self.generations:
                self.wrong.append("the pointer named nothing after a generation had been published")
        except (duckdb.Error, IndexError, OSError) as error:
            self.wrong.append(f"a read failed: {error}")
        self.stopping.wait(0.02)

    def _read(self, found: Generation) -> None:
        number = engine.number_of(found.path.name)
        if found.run.generation != number:
            self.wrong.append(f"{found.path.name} holds the run of generation {found.run.generation}")
        if not found.proven:
            self.wrong.append(f"generation {number} is read although its control totals differ")
        totals = {control.table: int(control.archive) for control in found.controls if control.measure == "rows"}
        for table, rows in totals.items():
            there = found.rows(f"select count(*) from raw.{engine.quoted(table)}").rows[0][0]
            if there != rows:
                self.wrong.append(f"generation {number} has {there} rows of {table}, its control total says {rows}")
        facts, calls = (found.rows(f"select count(*) from {name}").rows[0][0] for name in ("mart.fact_call", "raw.call"))
        if facts > calls:
            self.wrong.append(f"generation {number} has {facts} facts of {calls} calls")
        self.reads += 1
        self.generations.add(number)


class Nights(Watcher):
    """Nights one after the other; one that is to be killed dies at a random moment of its life."""

    def __init__(self, firm: Firm, rng: random.Random, name: str) -> None:
        super().__init__()
        self.firm, self.name, self.run, self.killed, self.good = firm, name, 0, list[float](), 0
        self._random, self._order, self._done = rng, threading.Event(), threading.Event()

    def kill_one(self, patience: float = 120.0) -> float:
        """A night was killed; returns when."""
        self._done.clear()
        self._order.set()
        if not self._done.wait(patience):
            raise TimeoutError("no night lived long enough to be killed")
        return self.killed[-1]

    def look(self) -> None:
        """One night, to its end or its death."""
        log = f"night-{self.name}-{self.run}"
        self.run += 1
        child, until_ = self.firm.run("night", log=log), time.monotonic() + 120
        while child.poll() is None and time.monotonic() < until_:
            if self._order.wait(0.05):
                self._kill(child)
        if child.poll() is None:
            self.wrong.append(f"{log} did not end in two minutes")
            end(child)
        self._judge(log, child.returncode)
        self.stopping.wait(0.3)

    def _kill(self, child: "subprocess.Popen[bytes]") -> None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(self._random.uniform(0.0, NIGHT_LASTS))
            return  # it was quicker; the next one is tried
        self.killed.append(time.time())
        child.kill()
        child.wait()
        self._order.clear()
        self._done.set()

    def _judge(self, log: str, code: int) -> None:
        said = self.firm.said(log)
        self.good += code == 0
        if "Traceback" in said:
            self.wrong.append(f"{log} ended with a traceback: {said.strip().splitlines()[-1]}")
        elif code not in (0, 1, -9) or (code == 1 and not _SENTENCE.search(said)):
            self.wrong.append(f"{log} ended with {code} and these words: {said.strip()[-300:]!r}")


def whole_night(firm: Firm, log: str, patience: float = 120.0) -> str:
    """A night that nobody disturbs is published; returns what it said when it is not."""
    until_ = time.monotonic() + patience
    while True:
        child = firm.run("night", log=log)
        child.wait(patience)
        said: Any = firm.said(log)
        if child.returncode == 0:
            return ""
        if "already running" not in said or time.monotonic() > until_:
            return f"an undisturbed night ended with {child.returncode}: {said.strip()[-300:]}"
        time.sleep(0.5)
