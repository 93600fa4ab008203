"""Numbers are unique in the whole firm: one that somebody typed is passed over, and one that another branch has is refused in words."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import numbers, scope
from service.core.errors import Invalid
from service.core.intake.target import Into, Row
from service.core.scope import Scope
from service.devices import actions as devices
from service.devices.model import Device
from service.devices.schemas import DeviceFacts, Holder, NewDevice
from service.parties import actions as parties
from service.parties.importing import TARGETS
from service.parties.model import Party
from service.parties.schemas import NewParty
from service.sites import actions as sites
from service.sites.model import Project
from service.sites.schemas import ProjectForm
from tests import make
from tests.conftest import AT


def narrow(session: Session, *branches: int) -> None:
    session.flush()
    scope.declare(session.connection(), Scope(branches))


def test_a_number_that_somebody_typed_before_its_turn_is_passed_over(session: Session, cast: SimpleNamespace) -> None:
    make.party(session, cast.suzhou, number="C202611230001")
    make.device(session, make.party(session, cast.suzhou, number="C-1"), number="DEV202611230001")
    make.project(session, cast.suzhou, number="P202611230001")
    own = make.party(session, cast.pudong, number="C-2")
    narrow(session, cast.pudong.id)
    party = parties.create_party(session, NewParty("甲", ""), by=cast.ada.id, branch_id=cast.pudong.id, at=AT)
    device = devices.create(session, NewDevice(DeviceFacts("打印机"), Holder(own.id)), by=cast.ada.id, at=AT)
    project = sites.create_project(session, ProjectForm(name="改造"), by=cast.ada.id, branch_id=cast.pudong.id, at=AT)
    assert session.get_one(Party, party).number == "C202611230002"
    assert session.get_one(Device, device).number == "DEV202611230002"
    assert session.get_one(Project, project).number == "P202611230002"
    assert session.scalar(select(Party.id).where(Party.number == "C202611230001")) is None  # the other branch stays unseen


def test_rows_of_one_file_with_and_without_numbers_get_different_ones(session: Session, cast: SimpleNamespace) -> None:
    into, rows = Into(cast.pudong.id, cast.mei.id, AT), [Row(2, {"name": "乙公司"}), Row(3, {"name": "丙公司", "number": "C202611230001"})]
    TARGETS[0].find(session, rows, into)
    made = TARGETS[0].create(session, rows, into)
    assert all(made)
    assert set(session.scalars(select(Party.number))) == {"C202611230001", "C202611230002"}


def test_a_number_of_an_unseen_branch_is_refused_in_words(session: Session, cast: SimpleNamespace) -> None:
    make.device(session, make.party(session, cast.suzhou), number="A-1")
    make.project(session, cast.suzhou, number="PX-1")
    own = make.party(session, cast.pudong)
    narrow(session, cast.pudong.id)
    with pytest.raises(Invalid, match="A-1") as no:
        devices.create(session, NewDevice(DeviceFacts("打印机"), Holder(own.id), number="A-1"), by=cast.ada.id, at=AT)
    assert "number" in no.value.fields
    with pytest.raises(Invalid) as no:
        sites.create_project(session, ProjectForm(number="PX-1", name="改造"), by=cast.ada.id, branch_id=cast.pudong.id, at=AT)
    assert "number" in no.value.fields
    assert not numbers.taken(session, Project, ["PX-2"])


def test_a_number_that_is_too_long_is_not_called_taken(session: Session, cast: SimpleNamespace) -> None:
    own = make.party(session, cast.pudong)
    with pytest.raises(Invalid) as no:
        devices.create(session, NewDevice(DeviceFacts("打印机"), Holder(own.id), number="9" * 200), by=cast.ada.id, at=AT)
    assert "Another" not in no.value.fields["number"]
