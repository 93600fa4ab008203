"""Whoever sees own tickets or a department's sees no other one on any page, list, export or in the search, by whatever way it is tied to what they see."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.parties.model import Party
from service.staff import rules
from service.staff.model import Branch, Role, Staff
from tests import make
from tests.signin import people, world
from tests.signin.people import PAGE
from tests.signin.test_covered import addresses, said

SUBJECT = "门轴异响待查"


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield create_app(replace(settings, data=tmp_path_factory.mktemp("own")), database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """Everything that can point to a ticket points to one of the sales department; two people of repairs may do anything, as far as they see."""
    made = people.firm(committed_cast)
    with db.begin(scope.ALL) as work:
        party, now = work.get_one(Party, made.party_id), clock.now()
        vars(made).update(world.rest(work, made, party))
        pudong = work.get_one(Branch, made.pudong.id)
        repair, sales = make.department(work, pudong, "维修部"), make.department(work, pudong, "销售部")
        seller = make.staff(work, "seller", pudong, "agent", department_id=sales.id)
        work.add(Role(name="everything", permissions=sorted(rules.merged(rules.PERMISSIONS.values()))))
        work.flush()
        made.own = make.staff(work, "own", pudong, "everything", reach="own", department_id=repair.id)
        made.unit = make.staff(work, "unit", pudong, "everything", reach="department", department_id=repair.id)
        call = make.call(work, now, caller_number=world.NUMBER)
        ticket = make.ticket(work, party, seller, now, subject=SUBJECT, device_id=made.device_id, phone=world.NUMBER, call=(call.switch, call.call_key))
        work.execute(text("update maintenance_reminder set ticket_id = :id"), {"id": ticket.id})
        told = {"id": ticket.id, "device": made.device_id, "by": seller.id, "branch": pudong.id, "at": now}
        work.execute(text("insert into device_event (device_id, at, by_id, kind, ticket_id, branch_id) values (:device, :at, :by, 'swap', :id, :branch)"), told)
        work.execute(text("update patrol_visit set ticket_id = :id"), {"id": ticket.id})
        made.ticket_id, made.call_id, made.number = ticket.id, call.id, ticket.number
        line = work.execute(text("select min(id) from missed_caller")).scalar()
        phone = work.execute(text("select min(id) from party_phone")).scalar()
    return SimpleNamespace(**vars(made), missed_id=line or 1, phone_id=phone)


def holding(client: Any, paths: list[str], firm: SimpleNamespace) -> list[str]:
    told = {path: said(client, path) for path in paths}
    return [path for path, content in told.items() if any(mark not in path and mark in content for mark in (SUBJECT, firm.number))]


@pytest.mark.parametrize("who", ["own", "unit"])
def test_no_page_tells_of_a_ticket_of_others(who: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    paths = [*addresses(app, firm), f"/found?q={SUBJECT}", f"/found?q={firm.number}", f"/lists/tickets/export.csv?view=all&q={firm.number}"]
    client = people.browser(app, settings, getattr(firm, who))

    assert holding(client, paths, firm) == []
    assert client.get(f"/calls/{firm.call_id}", headers=PAGE).status_code == client.get(f"/devices/{firm.device_id}", headers=PAGE).status_code == 200
    wide = [path for path in paths if any(word in path for word in ("/tickets", "/devices/", "/calls/", "/customers/", "/found"))]
    assert len(holding(people.browser(app, settings, firm.cleo), wide, firm)) > 5, "whoever sees the branch whole finds it in many places"
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Staff.reach).where(Staff.id == getattr(firm, who).id)).one() != "branch"
