"""What happens in the same moment is told and stored together, and nothing about it differs from one after the other."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.calls.model import AgentPop, Call, CallAlias, CallLeg
from service.calls.schemas import CallFacts, LegFacts, PhoneNews, Ring
from tests import make
from tests.conftest import AT

KINDS = ("rings", "rings", "answered", "stopped", "left", "ended")
PHONES = ("1001", "1002", "4711")  # nobody sits at the last


def story(seed: int) -> list[PhoneNews]:
    """A phone rings; then any news of three calls at three phones, in any order."""
    dice = random.Random(seed)
    callers = ("13800001001", "02162345678", "95588")
    return [
        PhoneNews(
            kind := dice.choice(KINDS) if second else "rings",  # type: ignore[arg-type]
            Ring("pbx1", f"100.{call}", "" if kind == "ended" else dice.choice(PHONES) if second else "1001", callers[call], "Wang", "02160000100", "support"),
            AT + timedelta(seconds=second),
            dice.choice(("abandoned", "rang-out")) if kind == "stopped" else "",
        )
        for second in range(12)
        for call in [dice.randrange(3)]
    ]


def undone(session: Session, work: Callable[[], Any]) -> Any:
    """What the work finds, as if it had never been done."""
    with session.begin_nested() as point:
        found = work()
        point.rollback()
    session.expire_all()
    return found


def pops_after(session: Session, pieces: list[list[PhoneNews]]) -> tuple[Any, Any]:
    """The pops as they stand, and what each browser heard of each of them, in order."""
    last = session.execute(text("select coalesce(max(id), 0) from live_event")).scalar_one()
    for piece in pieces:
        calls.pops.tell(session, piece)
    rows = session.scalars(select(AgentPop).order_by(AgentPop.call_key, AgentPop.extension)).all()
    names = {pop.id: (pop.call_key, pop.extension) for pop in rows}
    seen = ("state", "answered_by", "answered_at", "ended_at", "staff_id", "party_id", "matches", "began_at")
    heard: dict[Any, list[Any]] = {}
    for event in session.execute(text("select topic, kind, payload, at from live_event where id > :last order by id"), {"last": last}):
        payload = {key: value for key, value in event.payload.items() if key != "pop_id"}
        heard.setdefault(names[event.payload["pop_id"]], []).append((event.topic, event.kind, payload, event.at))
    return {names[pop.id]: [getattr(pop, name) for name in seen] for pop in rows}, heard


@pytest.mark.parametrize("seed", range(12))
def test_news_of_one_moment_leaves_what_one_after_the_other_leaves(session: Session, cast: SimpleNamespace, seed: int) -> None:
    make.phone(session, make.party(session, cast.pudong), "138 0000 1001")
    make.phone(session, make.party(session, cast.pudong), "021 6234 5678")
    news = story(seed)

    singly = undone(session, lambda: pops_after(session, [[item] for item in news]))
    together = undone(session, lambda: pops_after(session, [news]))

    assert singly[0]
    assert together == singly


def some_facts(seed: int) -> list[CallFacts]:
    """News of calls that are told more than once, out of order, and of which some turn out to be one."""
    dice = random.Random(seed)
    ends = [
        LegFacts(no, f"PJSIP/{no}", PHONES[no - 1], None, AT, None, AT + timedelta(seconds=9), "cancelled") for no in (1, 2, 3)
    ]
    return [
        make.facts(
            AT,
            call_key=f"200.{key}",
            aliases=(f"200.{dice.randrange(8)}",) if dice.random() < 0.4 else (),
            revision=dice.randrange(20),
            agent=dice.choice((*PHONES, None)),
            answered_by=None,
            queue=dice.choice(("support", None)),
            legs=tuple(ends[: dice.randrange(1, 4)]),
            live=dice.random() < 0.5,
        )
        for key in (dice.randrange(8) for _ in range(10))
    ]


def calls_after(session: Session, pieces: Sequence[list[CallFacts]]) -> Any:
    """Calls with their names and legs."""
    for piece in pieces:
        calls.store_calls(session, piece, None, at=AT)
    session.expire_all()
    keys = {call.id: call.call_key for call in session.scalars(select(Call))}
    rows = [(c.call_key, c.revision, c.staff_id, c.branch_id, c.party_id, c.queue, c.live) for c in session.scalars(select(Call))]
    names = [(keys[a.call_id], a.uniqueid) for a in session.scalars(select(CallAlias))]
    legs = [(keys[leg.call_id], leg.no, leg.extension, leg.staff_id, leg.outcome) for leg in session.scalars(select(CallLeg))]
    return sorted(rows), sorted(names), sorted(legs, key=lambda leg: leg[:2])


@pytest.mark.parametrize("seed", range(12))
def test_calls_of_one_batch_become_the_rows_of_calls_stored_singly(session: Session, cast: SimpleNamespace, seed: int) -> None:
    make.line(session, cast.suzhou, "support")
    make.phone(session, make.party(session, cast.pudong), "138 0000 1001")
    facts = some_facts(seed)

    singly = undone(session, lambda: calls_after(session, [[fact] for fact in facts]))
    together = undone(session, lambda: calls_after(session, [facts]))

    assert together == singly
