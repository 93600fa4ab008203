"""The record of a night: begun, ended, why it stopped, and who was told."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.core import db, live, outbox, scope

_BEGIN = text("insert into night_run (slot, began_at, state) values (:slot, :at, 'running') returning id")
_END = text("""
    update night_run set ended_at = :at, state = :state, generation = :generation, rows_read = :rows, reason = :reason,
        steps = cast(:steps as jsonb)
    where id = :id
""")
_AIM = text("update night_run set generation = :generation where id = :id")
_RUNNING = text("select max(id) from night_run where state = 'running'")
_LATE = text("""
    update night_run set ended_at = :at, state = 'published' where state = 'running' and id < :before and generation = :read
""")
_DEAD = text("""
    update night_run set ended_at = :at, state = 'failed', reason = :reason, generation = null
    where state = 'running' and id < :before returning id, slot
""")
_HELD = text("""
    select exists (
        select 1 from pg_locks as l join pg_database as d on l.database = d.oid
        where d.datname = current_database() and l.locktype = 'advisory' and l.objsubid = 2
          and (l.classid::bigint, l.objid::bigint) = (:first, :second))
""")
LOCK = (0x52696E67, 1)  # "Ring": one night at a time for all hosts of this database; held from before its record to after it
KILLED = ("This night ended without a word: its process was stopped or the machine went down. "
          "Readers keep the last generation; run the night again.")


def begin(engine: Engine, slot: str, *, at: datetime, read: int) -> int:
    """The run is on record before it does anything; runs that died silently are closed and told."""
    with db.begin(scope.ALL, engine) as session:
        run_id = int(session.execute(_BEGIN, {"slot": slot, "at": at}).scalar_one())
        _bury(session, run_id, at, read)
    return run_id


def aim(engine: Engine, run_id: int, generation: int) -> None:
    """The run says which generation it is building, so that a death just after publication is told apart."""
    with db.begin(scope.ALL, engine) as session:
        session.execute(_AIM, {"id": run_id, "generation": generation})


def bury(engine: Engine, *, at: datetime, read: int) -> int:
    """Runs whose process is gone are closed and told, and none that lives; returns how many were told.

    The order matters: a run that was seen first, and whose lock nobody holds afterwards, has no process. `read` is the
    generation that readers see: a run that died after publishing it did its work.
    """
    with db.begin(scope.ALL, engine) as session:
        newest = session.execute(_RUNNING).scalar()
        if newest is None or held(session):
            return 0
        return _bury(session, newest + 1, at, read)


def held(session: Session) -> bool:
    """True while a night's connection lives; for a moment also after kill -9, until PostgreSQL has noticed."""
    return bool(session.execute(_HELD, {"first": LOCK[0], "second": LOCK[1]}).scalar_one())


def _bury(session: Session, before: int, at: datetime, read: int) -> int:
    session.execute(_LATE, {"at": at, "before": before, "read": read})
    dead = session.execute(_DEAD, {"at": at, "reason": KILLED, "before": before}).all()
    for row in dead:
        alert(session, row.id, row.slot, KILLED, at=at)
    return len(dead)


def end(engine: Engine, run_id: int, slot: str, *, state: str, at: datetime, generation: int | None, rows: int, reason: str | None,
        steps: list[dict[str, Any]]) -> None:
    """The record says how it ended; a night that was not published is also told to everyone."""
    facts = {"id": run_id, "at": at, "state": state, "generation": generation, "rows": rows, "reason": reason,
             "steps": json.dumps(steps)}
    with db.begin(scope.ALL, engine) as session:
        session.execute(_END, facts)
        if reason is not None:
            alert(session, run_id, slot, reason, at=at)


def alert(session: Session, run_id: int, slot: str, reason: str, *, at: datetime) -> None:
    """Open browsers hear that it failed, not why: a reason may name sums. For people outside the outbox keeps it."""
    told = {"run_id": run_id, "slot": slot}
    live.publish(session, "all", "night-failed", told, at=at)
    outbox.send(session, "night.failed", told | {"reason": reason}, at=at)


def last_state(engine: Engine) -> str | None:
    """How the run before this one ended."""
    with db.begin(scope.ALL, engine) as session:
        return session.execute(text("select state from night_run where state <> 'running' order by id desc limit 1")).scalar()
