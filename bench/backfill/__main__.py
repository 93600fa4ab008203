"""python -m bench.backfill: a listener that is killed, a line that is cut, a switch that crashes, under load; then the files are read."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.backfill.load import BusyLab, Load, until_quiet
from bench.stage import FIRST_EXTENSION, PEOPLE, SECRET
from service import prepare
from service.core import clock, config, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.embedded import Embedded
from telephony import backfill
from tests.telephony.test_backfill_real import Wire

KINDS = ("kill", "cut", "crash")


class Bench:
    """One firm, one busy switch, one listener."""

    def __init__(self, settings: Settings, lab: BusyLab, wire: Wire, load: Load, seed: int) -> None:
        self.settings, self.lab, self.wire, self.load = settings, lab, wire, load
        self.random = random.Random(seed)
        self.engine = db.engine(settings.dsn_app, name="bench", pool_size=2)
        self.listener: subprocess.Popen[bytes] | None = None

    def rows(self, statement: str) -> list[Any]:
        """The database's answer."""
        with db.begin(scope.ALL, self.engine) as session:
            return list(session.execute(text(statement)).all())

    def listen(self) -> None:
        """A listener runs and hears."""
        self.listener = subprocess.Popen([sys.executable, "-m", "service", "listen"], start_new_session=True,
                                         env=os.environ | config.exported(self.settings), stderr=subprocess.DEVNULL)
        self._heard()

    def _heard(self, patience: float = 60.0) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            state = self.rows("select up and at > now() - interval '5 seconds' from feed_state")
            if state and state[0][0] and not self.rows("select 1 from feed_gap where ended_at is null"):
                return
            time.sleep(0.3)
        raise SystemExit("The listener did not come back.")

    def kill(self) -> None:
        """kill -9 to the listener's whole group."""
        assert self.listener is not None
        os.killpg(self.listener.pid, signal.SIGKILL)
        self.listener.wait(10)

    def play(self, number: int, seconds: float) -> str:
        """One round: calls, and in their midst something dies for a few seconds."""
        kind = KINDS[(number - 1) % len(KINDS)]
        calls = self.load.calls(seconds)
        time.sleep(seconds * self.random.uniform(0.2, 0.5))
        away = self.random.uniform(1.0, seconds * 0.4)
        if kind == "kill":
            self.kill()
            time.sleep(away)
            self.listen()
        elif kind == "cut":
            self.wire.cut()
            time.sleep(away)
            self.wire.mend()
        else:
            self.lab.kill()
            time.sleep(0.5)
            self.lab.start()
        try:
            calls.wait(seconds + 45)
        except subprocess.TimeoutExpired:  # some wait for an answer of a switch that does not know them any more
            calls.kill()
            calls.wait()
        until_quiet(self.lab)
        self._heard()
        return f"Round {number}: {kind}, away for {away if kind != 'crash' else 0.5:.1f} s"

    def found(self, when: str) -> tuple[str, int]:
        """How the books agree with the callers; the number of calls that are wrong."""
        answered, over = self.load.truth()
        rows = self.rows("select caller_number, disposition, end_certain, live, provenance from call where direction = 'inbound'")
        told: dict[str, list[Any]] = {}
        for row in rows:
            told.setdefault(row.caller_number, []).append(row)
        missed = [number for number in answered if number not in told]
        doubled = [number for number, found in told.items() if len(found) > 1]
        wrong = [number for number in over if number in told and told[number][0].disposition != "answered"]
        open_ = [number for number in over if number in told and (told[number][0].live or not told[number][0].end_certain)]
        of = {name: sum(row.provenance == name for row in rows) for name in ("live", "repaired", "backfilled")}
        line = (f"{when}: {len(answered)} calls answered, {len(over)} ended by the caller; {len(missed)} missed, {len(doubled)} doubled, "
                f"{len(wrong)} with another outcome, {len(open_)} whose end is not known; {of}")
        return line, len(missed) + len(doubled) + len(wrong)  # a switch that crashes in the moment of an end wrote none


@contextmanager
def bench(rate: float, seed: int) -> Iterator[Bench]:
    """All of it, gone afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="ringdesk-bench-"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        lab = stack.enter_context(BusyLab())
        wire = Wire(lab.ami_port)
        switch = SwitchSettings(name="pbx1", port=wire.port, username="listener", secret=lab.secret, files_timezone="UTC", **lab.files)  # type: ignore[arg-type]
        server = Embedded(folder / "postgresql")
        server.start()
        stack.callback(server.stop)
        asked = config.load({"RINGDESK_DATA": str(folder / "data"), "RINGDESK_SECRET_KEY": SECRET, "RINGDESK_PORT": "0"})
        settings = replace(prepare.resolve(asked, server), switches=(switch,))
        prepare.migrate(settings)
        load = Load(lab, folder, rate)
        stack.callback(load.end)
        made = Bench(settings, lab, wire, load, seed)
        stack.callback(made.engine.dispose)
        with db.begin(scope.ALL, made.engine) as session:
            for statement in PEOPLE.strip().split(";\n"):
                session.execute(text(statement.strip().rstrip(";")), {"people": 3, "first": FIRST_EXTENSION, "permissions": ""})
        load.begin()
        made.listen()
        stack.callback(made.kill)
        yield made


def main() -> int:
    """Plays the rounds, reads the files; the exit code is 0 when nothing is missed, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.backfill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=12.0, help="of calls in each round")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with bench(given.rate, given.seed) as made:
        for number in range(1, given.rounds + 1):
            print(made.play(number, given.seconds), flush=True)
        time.sleep(3)
        print(made.found("Before the files are read")[0], flush=True)
        time.sleep(2 * backfill.SETTLED.total_seconds())
        began = time.monotonic()
        done = backfill.run(made.settings, made.settings.switches[0], why="by hand", at=clock.now())
        took = time.monotonic() - began
        print(f"The backfill took {took:.1f} s for {done.records} records ({done.unreadable} unreadable): {done.found} stored, "
              f"{done.mended} corrected, {done.filled} gaps filled. {done.note}", flush=True)
        line, wrong = made.found("After")
        print(line)
        again = backfill.run(made.settings, made.settings.switches[0], why="by hand", at=clock.now())
        print(f"Once more: {again.found} stored, {again.mended} corrected.")
    return 1 if wrong or again.found or again.mended else 0


if __name__ == "__main__":
    sys.exit(main())
