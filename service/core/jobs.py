"""Jobs: enqueued in the caller's transaction, taken with SKIP LOCKED, done at least once."""

import logging
import os
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.core import audit, clock, db, scope

log = logging.getLogger(__name__)
Handler = Callable[[dict[str, Any]], None]
HANDLERS: dict[str, Handler] = {}
QUIET: set[str] = set()  # runs too often for the system log; its failures stand there all the same
LEASE = timedelta(minutes=5)
DEATHS = 3  # so many more times a job is taken whose workers died in the midst of it; then it may be what kills them

_ENQUEUE = text("""
    insert into job (name, args, dedupe, created_at, run_at, max_attempts)
    values (:name, cast(:args as jsonb), :dedupe, :at, :run_at, :max_attempts)
    on conflict (name, dedupe) where state in ('ready', 'running') do nothing returning id
""")
_TAKE = text("""
    update job set state = 'running', attempts = attempts + 1, locked_by = :me, locked_until = :until
    where id = (select id from job where (state = 'ready' and run_at <= :at)
                or (state = 'running' and locked_until < :at and attempts < max_attempts + :deaths)
                order by run_at, id limit 1 for update skip locked)
    returning id, name, args, attempts, max_attempts
""")
_LAY_ASIDE = text("""
    update job set state = 'dead', finished_at = :at, last_error = 'its worker ended in the midst of it each time',
    locked_by = null, locked_until = null
    where state = 'running' and locked_until < :at and attempts >= max_attempts + :deaths
""")
_TOLD = {"done": "job done", "ready": "job failed", "dead": "job given up"}
_RENEW = text("update job set locked_until = :until where id = :id and locked_by = :me and state = 'running'")
_FINISH = text("""
    update job set state = :state, finished_at = :finished, run_at = :run_at, last_error = :error, locked_by = null, locked_until = null
    where id = :id and locked_by = :me
""")


def enqueue(
    session: Session,
    name: str,
    args: dict[str, Any],
    *,
    at: datetime,
    run_at: datetime | None = None,
    dedupe: str | None = None,
    max_attempts: int = 5,
) -> int | None:
    """The job exists if and only if the transaction commits; None when an equal one already waits or runs."""
    import json

    row = session.execute(
        _ENQUEUE,
        {
            "name": name,
            "args": json.dumps(args),
            "dedupe": dedupe,
            "at": at,
            "run_at": run_at or at,
            "max_attempts": max_attempts,
        },
    ).first()
    return int(row[0]) if row else None


def waits(session: Session, name: str) -> bool:
    """True while a job of that name is to be done, or is being done."""
    found = text("select exists (select from job where name = :name and state in ('ready', 'running'))")
    return bool(session.scalar(found, {"name": name}))


def handler(name: str, function: Handler, *, quiet: bool = False) -> None:
    """Jobs of that name are done by `function`, which must be safe to run twice; called from wire()."""
    HANDLERS[name] = function
    if quiet:
        QUIET.add(name)


def _handler(name: str) -> Handler:
    if name not in HANDLERS:
        raise LookupError(f"no handler is known for {name!r}")
    return HANDLERS[name]


class Worker:
    """Takes one job after the other until told to stop."""

    def __init__(self, engine: Engine, name: str = "") -> None:
        self.engine = engine
        self.me = name or f"{os.uname().nodename}:{os.getpid()}:{threading.get_ident()}"

    def run(self, stop: threading.Event, idle: float = 0.5) -> None:
        """Works until `stop` is set; a database that is away is waited for."""
        while not stop.is_set():
            try:
                busy = self.step()
            except Exception:
                log.exception("jobs: the queue cannot be read; trying again")
                busy = False
            if not busy:
                stop.wait(idle)

    def step(self) -> bool:
        """One job was done or failed; False when none was waiting."""
        at = clock.now()
        with db.begin(scope.ALL, self.engine) as session:
            row = session.execute(_TAKE, {"me": self.me, "until": at + LEASE, "at": at, "deaths": DEATHS}).first()
            if row is None:
                session.execute(_LAY_ASIDE, {"at": at, "deaths": DEATHS})
                return False
        self._do(row.id, row.name, row.args, row.attempts, row.max_attempts)
        return True

    def _do(self, job_id: int, name: str, args: dict[str, Any], attempts: int, most: int) -> None:
        done = threading.Event()
        renewer = threading.Thread(target=self._renew, args=(job_id, done), daemon=True)
        renewer.start()
        try:
            _handler(name)(args)
        except Exception as error:
            log.exception("jobs: %s (%s) failed, attempt %s", name, job_id, attempts)
            self._finish(job_id, name, "dead" if attempts >= most else "ready", str(error)[:500], attempts)
        else:
            self._finish(job_id, name, "done", None, attempts)
        finally:
            done.set()
            renewer.join()

    def _renew(self, job_id: int, done: threading.Event) -> None:
        while not done.wait(LEASE.total_seconds() / 3):
            try:
                with db.begin(scope.ALL, self.engine) as session:
                    session.execute(_RENEW, {"until": clock.now() + LEASE, "id": job_id, "me": self.me})
            except Exception:
                log.warning("jobs: the lease of %s could not be renewed", job_id)

    def _finish(self, job_id: int, name: str, state: str, error: str | None, attempts: int) -> None:
        at = clock.now()
        wait = timedelta(seconds=5 * 3 ** min(attempts, 6) * random.uniform(0.8, 1.2))
        with db.begin(scope.ALL, self.engine) as session:
            session.execute(
                _FINISH,
                {
                    "state": state,
                    "finished": None if state == "ready" else at,
                    "error": error,
                    "run_at": at + wait if state == "ready" else at,
                    "id": job_id,
                    "me": self.me,
                },
            )
            if state != "done" or name not in QUIET:
                told = {"name": name} | ({"attempt": attempts, "error": error[:200]} if error else {})
                audit.record(session, at=at, by=None, verb=_TOLD[state], entity="job", entity_id=job_id, new=told, kind="job")
