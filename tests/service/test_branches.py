"""Which branch, and whose customer, a call is in the end: of whoever took it, with all its names and sounds."""

from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import actions, queries
from service.calls.lanes import axis
from service.calls.model import Call, Recording
from service.calls.schemas import CallFacts
from service.core.scope import Scope, declare
from service.desk import actions as desk
from service.staff.queries import identity_of
from tests import make
from tests.conftest import AT
from tests.service.test_spine import ring

KEY = "1795331794.40"


def ringing() -> CallFacts:
    """The call as it is stored first: nobody has taken it."""
    nobody = {"agent": None, "answered_by": None, "answered_at": None, "ended_at": None, "disposition": None}
    return make.facts(AT, call_key=KEY, aliases=("1795331794.41",), live=True, revision=1, **nobody)


def taken(extension: str) -> CallFacts:
    return make.facts(AT, call_key=KEY, aliases=("1795331794.41",), revision=2, agent=extension, answered_by=extension)


def test_names_and_sounds_of_a_call_move_with_it_to_the_branch_of_who_took_it(session: Session, cast: SimpleNamespace) -> None:
    make.line(session, cast.hq, "support")
    call = actions.store_calls(session, [ringing()], None, at=AT)[0]
    sound = {"uniqueid": KEY, "path": "v1/aa/bb", "sha256": "00" * 32, "size": 9, "seconds": 1, "form": "wav/8000/1"}
    actions.recording_found(session, switch="pbx1", segment=1, at=AT, **sound)
    actions.store_calls(session, [taken("1001")], None, at=AT)

    assert session.scalars(select(Recording.branch_id)).all() == [cast.pudong.id]
    declare(session.connection(), Scope((cast.pudong.id,)))
    assert sorted(name for _switch, name in queries.names_of(session, call)) == [KEY, "1795331794.41"]
    assert queries.call_of_pop(session, "pbx1", KEY) == call


def two_branches_know_the_number(session: Session, cast: SimpleNamespace) -> tuple[int, int]:
    parties = make.party(session, cast.pudong), make.party(session, cast.suzhou)
    for party in parties:
        make.phone(session, party, "138 0000 1001")
    make.seat(session, cast.dan, "1009", AT)
    actions.phone_rings(session, ring("1001"), at=AT)
    actions.phone_rings(session, ring("1009"), at=AT)
    return parties[0].id, parties[1].id


def test_the_customer_is_who_the_one_that_took_the_call_saw(session: Session, cast: SimpleNamespace) -> None:
    ours, _theirs = two_branches_know_the_number(session, cast)

    actions.store_calls(session, [ringing()], None, at=AT)
    assert session.scalars(select(Call.party_id)).one() is None

    actions.store_calls(session, [taken("1001")], None, at=AT)
    session.expire_all()
    assert session.scalars(select(Call.party_id)).one() == ours


def test_what_an_agent_said_counts_before_what_a_number_says(session: Session, cast: SimpleNamespace) -> None:
    two_branches_know_the_number(session, cast)
    said = make.party(session, cast.pudong)
    pop = session.execute(text("select id from agent_pop where extension = '1001'")).scalar_one()
    desk.choose(session, pop, said.id, None, by=identity_of(session, cast.ada), at=AT)

    actions.store_calls(session, [taken("1009")], None, at=AT)

    assert session.scalars(select(Call.party_id)).one() == said.id


def test_a_call_that_goes_on_is_drawn_until_now(session: Session, cast: SimpleNamespace) -> None:
    call = make.call(session, AT, live=True, ended_at=None)
    page = queries.call_page(session, call.id)
    assert page is not None
    for leg in page.legs[:1]:
        leg.ended_at = AT + timedelta(seconds=10)

    drawn = axis(call, page.legs, page.segments, {}, AT + timedelta(minutes=5))

    assert drawn is not None and drawn.ended == AT + timedelta(minutes=5)
