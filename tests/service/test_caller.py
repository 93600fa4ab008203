"""Who a caller is, as the person at the phone may know and has said it."""

from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.calls import queries as call_queries
from service.calls.schemas import Ring
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
