"""A list that is searched finds its own rows, however many others fit, and says when it cannot show them all."""

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service.core import search
from service.core.errors import Invalid
from service.core.lists import asking, export, paging
from service.core.lists.spec import ListSpec
from service.devices.index import index
from service.devices.lists import DEVICES, RETIRED
from service.parties.lists import CUSTOMERS
from tests import make
from tests.conftest import AT
from tests.floor.test_paging import BOSS


def listed(session: Session, spec: ListSpec, **args: str) -> list[Any]:
    asked = asking.read(session, spec, BOSS, args)
    return [row for row, _told in paging.each(session, spec, BOSS, asked, at=AT, most=10_000)]


def test_other_conditions_leave_the_search_its_hits(session: Session, cast: SimpleNamespace) -> None:
    one, other = make.party(session, cast.pudong), make.party(session, cast.pudong, "另一家")
    many = [make.device(session, one, name="标签打印机").id for _number in range(260)]
    gone = make.device(session, other, name="标签打印机", state="retired", retired_on=AT.date())
    last = make.device(session, other, name="标签打印机")
    index(session, [*many, gone.id, last.id])
    assert len(listed(session, DEVICES, q="打印机")) == 261
    assert listed(session, DEVICES, q="打印机", party=str(other.id)) == [last]
    assert listed(session, RETIRED, q="打印机") == [gone]


def test_a_list_that_cannot_show_all_hits_says_so(session: Session, cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    for sign in "甲乙丙丁":
        make.party(session, cast.pudong, f"恒通{sign}")
    monkeypatch.setattr(search, "IN_LIST", 3)
    asked = asking.read(session, CUSTOMERS, BOSS, {"q": "恒通"})
    assert asked.cut and not asking.read(session, CUSTOMERS, BOSS, {"q": "恒通乙"}).cut
    with pytest.raises(Invalid, match="Type more"):
        export.text(session, CUSTOMERS, BOSS, asked, at=AT)
