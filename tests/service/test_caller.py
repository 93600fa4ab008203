"""Who a caller is, as the person at the phone may know and has said it."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.calls import queries as call_queries
from service.calls.model import AgentPop
from service.calls.schemas import Ring
from service.core import phone, scope
from service.core.identity import Identity
from service.desk import queries as desk
from service.parties import actions as parties
from service.staff.model import ExtensionAssignment
from tests import make
from tests.conftest import AT


def ring(extension: str = "1001", number: str = "13800001001") -> Ring:
    return Ring("pbx1", "1795331794.60", extension, number, "Wang", "02160000100", "support", "inbound")


def test_a_phone_that_rings_again_at_another_person_names_nobody_hidden_from_them(
    session: Session, cast: SimpleNamespace
) -> None:
    make.phone(session, make.party(session, cast.pudong), "138 0000 1001")
    calls.phone_rings(session, ring(), at=AT)
    assert [m["name"] for m in call_queries.snapshot(session, cast.ada.id, AT)[0]["matches"]] == ["上海恒通物流有限公司"]

    later = AT + timedelta(minutes=1)
    session.query(ExtensionAssignment).filter_by(extension="1001").update({"valid_to": later})
    make.seat(session, cast.dan, "1001", later)
    calls.phone_rings(session, ring(), at=later)
    session.expire_all()
    told = call_queries.snapshot(session, cast.dan.id, later)
    assert [(pop["party_id"], pop["matches"]) for pop in told] == [(None, [])]


def pop(session: Session, cast: SimpleNamespace, number: str, line: str = "02160000100") -> dict[str, Any]:
    """What Ada's screen is told of a call from that number to that line."""
    calls.phone_rings(session, replace(ring(number=number), call_key=f"k{number}{line}", called=line), at=AT)
    session.expire_all()
    return call_queries.snapshot(session, cast.ada.id, AT)[-1]


@pytest.mark.parametrize(("stored", "calling"), [
    ("138 0000 1001", "+8613800001001"), ("138 0000 1001", "008613800001001"), ("138 0000 1001", "013800001001"),
    ("+86 138-0000-1001", "13800001001"), ("021-6234 5678", "+862162345678"), ("021-6234 5678", "00862162345678"),
    ("(021) 62345678 转 801", "02162345678"), ("021-62345678", "62345678"), ("6234 5678", "02162345678"), ("6234 5678-12", "+862162345678"),
])
def test_one_number_is_one_however_it_is_written_or_sent(stored: str, calling: str, session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong)
    make.phone(session, party, stored)
    assert pop(session, cast, calling)["party_id"] == party.id


@pytest.mark.parametrize(("stored", "calling", "line"), [
    ("021-62345678", "62345678", "01060000100"), ("6234 5678", "01062345678", "02160000100"), ("021-62345678", "62345678", "100"),
])
def test_a_number_without_its_area_code_is_no_other_towns(stored: str, calling: str, line: str, session: Session, cast: SimpleNamespace) -> None:
    make.phone(session, make.party(session, cast.pudong), stored)
    assert pop(session, cast, calling, line)["matches"] == []


def test_a_number_that_stands_at_a_site_alone_pops_the_customer_of_the_site(session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong)
    site = make.site(session, cast.pudong, name="一号楼机房", party_id=party.id, contact="李工", phone="021-62345678 转 8")
    of_project = make.party(session, cast.pudong, "华东冷链")
    project = make.project(session, cast.pudong, party_id=of_project.id)
    make.site(session, cast.pudong, name="冷库", project_id=project.id, phone="13911112222")

    told = pop(session, cast, "+862162345678")
    assert told["party_id"] == party.id
    assert [(one["name"], one["contact"], one["reason"]) for one in told["matches"]] == [(party.name, "李工 · 一号楼机房", "exact")]
    kept = session.scalars(select(AgentPop.matches).where(AgentPop.id == told["pop_id"])).one()
    assert [(one["source"], one["site_id"]) for one in kept] == [("site", site.id)]
    assert pop(session, cast, "13911112222")["party_id"] == of_project.id


def test_the_number_of_a_site_that_a_contact_has_too_is_one_match_with_both_reasons(session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong)
    li = make.contact(session, party, "李工")
    make.phone(session, party, "13911112222", li)
    make.site(session, cast.pudong, name="一号楼机房", party_id=party.id, contact="李工", phone="13911112222")
    told = pop(session, cast, "13911112222")
    assert (told["party_id"], [one["contact"] for one in told["matches"]]) == (party.id, ["李工 · 一号楼机房"])
    assert session.scalars(select(AgentPop.contact_id).where(AgentPop.id == told["pop_id"])).one() == li.id


def test_sites_of_two_customers_are_a_choice_and_one_of_another_branch_is_none(session: Session, cast: SimpleNamespace) -> None:
    one, two = make.party(session, cast.pudong), make.party(session, cast.pudong, "华东冷链")
    foreign = make.party(session, cast.suzhou, "苏州来客")
    for party, branch in ((one, cast.pudong), (two, cast.pudong), (foreign, cast.suzhou)):
        make.site(session, branch, party_id=party.id, contact="门卫", phone="13911112222")
    told = pop(session, cast, "13911112222")
    assert told["party_id"] is None
    assert {match["party_id"] for match in told["matches"]} == {one.id, two.id}


def test_two_people_of_one_customer_with_one_number_are_that_customer(session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong)
    for name in ("王芳", "李伟"):
        make.phone(session, party, "02162345678", make.contact(session, party, name))
    told = pop(session, cast, "02162345678")
    assert (told["party_id"], [(one["name"], one["contact"]) for one in told["matches"]]) == (party.id, [(party.name, None)])
    ada = Identity(cast.ada.id, "Ada", "ada", (), frozenset({"desk.use"}), scope.ALL, cast.pudong.id, "en", "light")
    shown = desk.caller(session, told["pop_id"], ada, AT.date())
    assert (shown.choices, shown.contact, [one["contact_name"] for one in shown.people]) == ([], None, ["王芳", "李伟"])


def test_a_site_whose_number_changes_is_found_by_the_new_one_alone(session: Session, cast: SimpleNamespace) -> None:
    site = make.site(session, cast.pudong, party_id=make.party(session, cast.pudong).id, phone="13911112222")
    site.phone = "13911113333"
    session.flush()
    assert (pop(session, cast, "13911112222")["party_id"], pop(session, cast, "13911113333")["party_id"]) == (None, site.party_id)


def test_the_stored_call_is_the_customers_of_the_site(session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong)
    make.site(session, cast.pudong, party_id=party.id, phone="13911112222")
    assert make.call(session, AT, caller_number="13911112222").party_id == party.id


def test_only_a_number_that_was_used_before_is_said_to_have_called_last(session: Session, cast: SimpleNamespace) -> None:
    one, two = (make.party(session, cast.pudong, name) for name in ("恒通", "华东冷链"))
    for party in (one, two):
        make.phone(session, party, "13800001001")
    first = pop(session, cast, "13800001001")
    parties.called(session, [(two.id, phone.parse("13800001001"), AT)])
    again = pop(session, cast, "+8613800001001")
    for told, who, called in ((first, one.id, False), (again, two.id, True)):
        best = session.scalars(select(AgentPop.matches).where(AgentPop.id == told["pop_id"])).one()[0]
        assert (best["party_id"], best["called"]) == (who, called)
