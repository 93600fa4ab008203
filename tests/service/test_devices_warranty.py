"""In or out of warranty, by which rule, until when: the table of the rule, and what a ticket keeps of it."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core.errors import Invalid
from service.devices import actions, queries
from service.devices.model import Device
from service.devices.rules import Cover, decide
from service.devices.schemas import ComponentFacts
from service.tickets.model import Ticket
from tests import make
from tests.conftest import AT

ON = date(2026, 11, 23)
YESTERDAY = ON - timedelta(days=1)


@pytest.mark.parametrize(("cover", "result", "rule", "until"), [
    (Cover(until=ON), "in", "own", ON),  # the last day is inside
    (Cover(until=YESTERDAY), "out", "own", YESTERDAY),
    (Cover(until=ON, months=0), "in", "own", ON),  # what was agreed goes before the product
    (Cover(until=YESTERDAY, installed_on=ON, months=60), "out", "own", YESTERDAY),
    (Cover(starts=ON, until=ON), "in", "own", ON),
    (Cover(starts=ON + timedelta(days=1), until=date(2027, 1, 1)), "out", "early", date(2027, 1, 1)),
    (Cover(starts=date(2024, 11, 23), months=24), "in", "start", ON),
    (Cover(starts=date(2024, 11, 22), months=24), "out", "start", YESTERDAY),
    (Cover(starts=date(2025, 1, 1), installed_on=date(2020, 1, 1), months=24), "in", "start", date(2027, 1, 1)),
    (Cover(installed_on=date(2024, 11, 23), months=24), "in", "installed", ON),
    (Cover(installed_on=date(2024, 11, 22), months=24), "out", "installed", YESTERDAY),
    (Cover(installed_on=date(2026, 1, 1), produced_on=date(2020, 1, 1), months=12), "in", "installed", date(2027, 1, 1)),
    (Cover(produced_on=date(2026, 1, 31), months=13), "in", "produced", date(2027, 2, 28)),  # no 31st in February
    (Cover(produced_on=date(2024, 2, 29), months=36), "in", "produced", date(2027, 2, 28)),
    (Cover(produced_on=date(2025, 12, 31), months=2), "out", "produced", date(2026, 2, 28)),
    (Cover(installed_on=ON, months=0), "out", "none", None),
    (Cover(months=0), "out", "none", None),
    (Cover(installed_on=ON), "unknown", "months", None),
    (Cover(months=24), "unknown", "dates", None),
    (Cover(), "unknown", "dates", None),
    (Cover(installed_on=date(2190, 1, 1), months=600), "in", "installed", date(2240, 1, 1)),
])  # fmt: skip
def test_the_rule(cover: Cover, result: str, rule: str, until: date | None) -> None:
    decided = decide(cover, ON)
    assert (decided.result, decided.rule, decided.until) == (result, rule, until)
    assert decided.charge == {"in": "free", "out": "payable", "unknown": ""}[result]


def test_a_component_is_judged_by_its_own_dates_and_a_ticket_keeps_what_was_said(session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong)
    device = make.device(session, party, warranty_until=YESTERDAY)
    facts = ComponentFacts("打印头", "PH-1", warranty_until=ON)
    head = actions.fit(session, device.id, facts, by=cast.ada.id, at=AT)
    plain = make.ticket(session, party, cast.ada, AT, device_id=device.id)
    part = make.ticket(session, party, cast.ada, AT, device_id=device.id, component_id=head)
    chosen = make.ticket(session, party, cast.ada, AT, device_id=device.id, chargeable="free")
    without = make.ticket(session, party, cast.ada, AT)

    def kept(ticket: Ticket) -> tuple[str, str]:
        return ticket.warranty, ticket.chargeable

    assert [kept(one) for one in (plain, part, chosen, without)] == [("out", "payable"), ("in", "free"), ("out", "free"), ("", "")]


def test_the_day_of_the_report_is_the_firms(session: Session, cast: SimpleNamespace) -> None:
    """At seventeen UTC the firm's next day has begun."""
    party = make.party(session, cast.pudong)
    device = make.device(session, party, warranty_until=ON)
    hours = {15: "in", 17: "out"}
    assert {h: make.ticket(session, party, cast.ada, AT.replace(hour=h), device_id=device.id).warranty for h in hours} == hours


@pytest.mark.parametrize("wrong", [{"component_id": 99999999}, {"chargeable": "maybe"}])
def test_a_component_of_elsewhere_or_another_word_is_refused(wrong: dict[str, Any], session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong)
    device = make.device(session, party)
    with pytest.raises(Invalid):
        make.ticket(session, party, cast.ada, AT, device_id=device.id, **wrong)


def test_what_ends_soon_is_reckoned_alike_by_the_rule_and_by_postgresql(session: Session, cast: SimpleNamespace) -> None:
    party, product = make.party(session, cast.pudong), make.product(session, warranty_months=13)
    days = [date(2025, 10, 22) + timedelta(days=n) for n in range(75)] + [date(2025, 10, 31), date(2025, 12, 31)]
    for day in days:
        make.device(session, party, warranty_until=None, installed_on=day, product_id=product.id)
    make.device(session, party, warranty_until=None)
    for until in (YESTERDAY, ON, ON + queries.SOON, ON + queries.SOON + timedelta(days=1)):
        make.device(session, party, warranty_until=until)
    rows = session.scalars(select(Device).where(Device.party_id == party.id)).all()
    covered = queries.covered(session, rows, ON)
    meant = {row.id for row in rows if (until := covered[row.id].decision.until) and ON <= until <= ON + queries.SOON}

    assert {row.id for row in session.scalars(queries.ending_soon(select(Device), ON))} == meant
    assert len(meant) > 50
