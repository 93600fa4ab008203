"""The ear tells the desk which phones ring: at once, in a transaction of its own, never behind the store.

What would come too late to help is dropped, and the screens are told anew how things stand.
"""

import logging
import math
import queue
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.actions import PhoneNews, Ring
from service.core import clock, db, scope
from telephony import facts
from telephony.livecall import Leg, LiveCall
from telephony.news import News, current
from telephony.refusal import is_away, short

log = logging.getLogger(__name__)
POP_LATE = 10.0      # seconds after which a pop would only startle
REFUSED_PAUSE = 30.0  # a pop that is refused is refused again, and the screens must not flicker for it
TOGETHER = 50        # pops of one transaction


@dataclass(frozen=True)
class Stale:
    """After a snapshot: pops other than of these calls at these phones are over."""

    up: frozenset[tuple[str, str]]
    at: datetime


@dataclass(frozen=True)
class _Pop:
    news: PhoneNews | Stale
    born: float


class Pops:
    """One switch's pops and the thread that tells them."""

    def __init__(self, switch: str, bind: Engine) -> None:
        self.switch, self._bind = switch, bind
        self.told, self.late, self.failed = 0, 0, 0
        self._queue: queue.SimpleQueue[_Pop | None] = queue.SimpleQueue()
        self._rung: dict[str, str] = {}
        self._away = False  # what the thread last saw of the database
        self._missed_at: float | None = None  # when the screens are worth a refresh, since something was not told
        self._thread = threading.Thread(target=self._run, name=f"{switch} pops", daemon=True)

    def start(self) -> None:
        """The thread runs."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """What waits is told, or dropped."""
        self._queue.put(None)
        self._thread.join(patience)

    def refresh(self, calls: Iterable[LiveCall], at: datetime) -> None:
        """After a snapshot the screens show what is up now, and nothing else."""
        up: set[tuple[str, str]] = set()
        for call in calls:
            items = list(current(call, at))
            self.tell(items)
            up |= {(self._rung[item.leg.id], item.leg.party or "") for item in items if item.leg is not None}
        self._queue.put(_Pop(Stale(frozenset(up), at), time.monotonic()))

    def take_missed(self) -> bool:
        """True once when pops were lost and none wait: the screens need a refresh."""
        missed = self._missed_at is not None and time.monotonic() >= self._missed_at and self._queue.empty()
        if missed:
            self._missed_at = None
        return missed

    def _missed(self, pause: float = 0.0) -> None:
        self._missed_at = min(self._missed_at or math.inf, time.monotonic() + pause)

    def tell(self, items: Iterable[News]) -> None:
        """Each of the news is on its way."""
        born = time.monotonic()
        for item in items:
            if item.leg is not None:
                self._queue.put(_Pop(self._telling(item, item.leg), born))
            for key in {self._rung.pop(leg) for leg in item.call.legs if leg in self._rung} if item.leg is None else ():
                self._queue.put(_Pop(PhoneNews("ended", Ring(self.switch, key), item.at or clock.now()), born))

    def _telling(self, item: News, leg: Leg) -> PhoneNews:
        ring = self._ring(item.call, self._rung.setdefault(leg.id, item.call.key), leg.party or "")
        return PhoneNews(item.kind, ring, item.at or clock.now(), item.reason)

    def _ring(self, call: LiveCall, key: str, extension: str) -> Ring:
        return Ring(self.switch, key, extension, facts.caller_number(call), facts.caller_name(call), facts.called(call),
                    call.queue, facts.direction(call))

    def _run(self) -> None:
        """The thread: what waits together goes in one transaction."""
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < TOGETHER and not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    self._queue.put(None)
                    break
                batch = [pop for pop in batch if self._in_time(pop)] + [more]
            self._tell_batch(batch)

    def _tell_batch(self, batch: list[_Pop]) -> None:
        fresh = [pop for pop in batch if self._in_time(pop)]
        if not fresh or self._told(fresh):
            return
        for pop in fresh if len(fresh) > 1 else ():
            self._told([pop])

    def _in_time(self, pop: _Pop) -> bool:
        """False when it would come too late; an end that is not told would let a phone ring on, so the screens are told anew."""
        late = time.monotonic() - pop.born >= POP_LATE
        if late:
            self.late += 1
            self._missed()
        return not late

    def _told(self, pops: list[_Pop]) -> bool:
        try:
            with db.begin(scope.ALL, self._bind) as session:
                self._tell_all(session, [pop.news for pop in pops])
        except Exception as error:
            if not is_away(error):
                log.exception("A pop of %s was not told", self.switch)
                self.failed += 1
                if len(pops) == 1:
                    self._missed(REFUSED_PAUSE)
                return False
            if not self._away:
                log.warning("No pops for %s, the database does not answer: %s", self.switch, short(error))
            self._away = True
            self._missed()
            time.sleep(0.2)
            return True  # what still rings when it answers is told anew; the page says that it is blind
        self.told += len(pops)
        self._away = False
        return True

    def _tell_all(self, session: Session, news: list[PhoneNews | Stale]) -> None:
        """What lies between two snapshots is told together."""
        together: list[PhoneNews] = []
        for item in news:
            if isinstance(item, PhoneNews):
                together.append(item)
                continue
            actions.pops.tell(session, together)
            actions.pops.close_stale(session, self.switch, item.up, at=item.at)
            together = []
        actions.pops.tell(session, together)
