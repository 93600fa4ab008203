"""From ring to ticket, through the doors of the contexts."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.calls import queries as call_queries
from service.calls.model import AgentPop, Call
from service.calls.schemas import Checkpoint, Ring
from service.core import db, scope
from service.core.errors import Invalid
from service.ledger import queries as ledger
from service.tickets import actions as tickets
from service.tickets import queries as ticket_queries
from service.tickets.model import Ticket
from service.tickets.schemas import NewTicket
from tests import make
from tests.conftest import AT


def ring(extension: str = "1001", **more: str | None) -> Ring:
    return Ring(
        **{
            "switch": "pbx1",
            "call_key": "1795331794.40",
            "extension": extension,
            "caller_number": "13800001001",
            "caller_name": "Wang",
            "called": "02160000100",
            "queue": "support",
            "direction": "inbound",
        }
        | more
    )


def test_a_ringing_phone_pops_for_the_person_at_it_and_nobody_else(session: Session, cast: SimpleNamespace) -> None:
    customer = make.party(session, cast.pudong)
    make.phone(session, customer, "138 0000 1001")

    assert calls.phone_rings(session, ring(), at=AT)
    assert calls.phone_rings(session, ring("4711"), at=AT) is None

    told = call_queries.snapshot(session, cast.ada.id, AT)
    assert [pop["party_id"] for pop in told] == [customer.id]
    assert told[0]["display"] == "138****1001"
    assert call_queries.snapshot(session, cast.ben.id, AT) == []


def test_a_pop_never_names_a_customer_its_reader_may_not_see(session: Session, cast: SimpleNamespace) -> None:
    make.phone(session, make.party(session, cast.pudong), "138 0000 1001")
    make.seat(session, cast.dan, "1009", AT)

    calls.phone_rings(session, ring("1009"), at=AT)

    told = call_queries.snapshot(session, cast.dan.id, AT)[0]
    assert (told["matches"], told["party_id"], told["display"]) == ([], None, "138****1001")


def test_a_pop_and_the_list_call_the_queue_what_the_firm_calls_it(session: Session, cast: SimpleNamespace) -> None:
    make.line(session, cast.pudong, "support", label="售后")

    calls.phone_rings(session, ring("1001"), at=AT)

    assert call_queries.snapshot(session, cast.ada.id, AT)[0]["queue"] == "售后"
    labels = call_queries.queue_labels(session)
    assert (labels.of("pbx1", "support"), labels.of("pbx1", "night"), labels.of("pbx1", None)) == ("售后", "night", None)


def test_the_other_phones_fold_when_ben_answers(session: Session, cast: SimpleNamespace) -> None:
    calls.phone_rings(session, ring("1001"), at=AT)
    calls.phone_rings(session, ring("1002"), at=AT)

    calls.phone_answered(session, ring("1002"), at=AT)

    states = {p.extension: (p.state, p.answered_by) for p in session.scalars(select(AgentPop))}
    assert states == {"1001": ("answered-elsewhere", "Ben"), "1002": ("talking", None)}
    kinds = session.execute(text("select topic, kind from live_event order by id")).all()
    assert (f"u{cast.ada.id}", "pop-answered") in [tuple(k) for k in kinds]


def test_two_rows_that_turn_out_to_be_one_call_become_one(session: Session, cast: SimpleNamespace) -> None:
    first = make.call(session, AT, call_key="100.5", revision=1)
    second = make.call(session, AT, call_key="100.9", revision=2)
    assert first.id != second.id

    kept = make.call(session, AT, call_key="100.5", aliases=("100.9",), revision=3)

    assert kept.id == first.id
    assert session.scalars(select(Call.id)).all() == [first.id]
    assert call_queries.call_of_pop(session, "pbx1", "100.9") == first.id


def test_older_news_never_overwrites_newer(session: Session, cast: SimpleNamespace) -> None:
    call = make.call(session, AT, call_key="100.5", revision=9, disposition="answered")
    make.call(session, AT, call_key="100.5", revision=3, disposition="abandoned")
    assert call.disposition == "answered"


def test_facts_and_checkpoint_move_together(session: Session, cast: SimpleNamespace) -> None:
    mark = Checkpoint("pbx1", "seg-1", 900, "seg-1", 100)
    calls.store_calls(session, [make.facts(AT)], mark, at=AT)
    assert calls.checkpoint(session, "pbx1") == mark


def test_a_ticket_walks_to_its_end_and_each_step_is_a_line(session: Session, cast: SimpleNamespace) -> None:
    customer = make.party(session, cast.pudong)
    call = make.call(session, AT)
    new = NewTicket(
        party_id=customer.id, subject="卡纸", priority="urgent", call=("pbx1", call.call_key), request_key="r1"
    )
    ticket_id = tickets.register(session, new, by=cast.ada.id, at=AT)
    assert tickets.register(session, new, by=cast.ada.id, at=AT) == ticket_id

    tickets.assign(session, ticket_id, cast.wang.id, by=cast.cleo.id, at=AT)
    tickets.accept(session, ticket_id, by=cast.wang.id, at=AT + timedelta(minutes=9))
    tickets.start(session, ticket_id, by=cast.wang.id, at=AT + timedelta(minutes=20))
    tickets.finish(session, ticket_id, "换胶辊", by=cast.wang.id, at=AT + timedelta(minutes=80))
    tickets.close(session, ticket_id, by=cast.cleo.id, at=AT + timedelta(hours=2))

    page = ticket_queries.ticket_page(session, ticket_id)
    assert page and page.ticket.state == "closed" and [c.id for c in page.calls] == [call.id]
    moves = [(e.old, e.new) for e in page.events if e.field == "state" and e.old]
    assert moves == [
        ("registered", "assigned"),
        ("assigned", "accepted"),
        ("accepted", "processing"),
        ("processing", "to_settle"),
        ("to_settle", "closed"),
    ]
    with pytest.raises(tickets.WrongState, match="is “Closed”"):
        tickets.assign(session, ticket_id, cast.wang.id, by=cast.cleo.id, at=AT)


def test_a_stale_version_is_refused(session: Session, cast: SimpleNamespace) -> None:
    ticket = make.ticket(session, make.party(session, cast.pudong), cast.ada, AT)
    seen = ticket.version
    tickets.assign(session, ticket.id, cast.wang.id, by=cast.cleo.id, at=AT, version=seen)
    with pytest.raises(tickets.StaleTicket):
        tickets.accept(session, ticket.id, by=cast.wang.id, at=AT, version=seen)


def test_a_device_of_another_customer_is_refused(session: Session, cast: SimpleNamespace) -> None:
    mine, other = make.party(session, cast.pudong), make.party(session, cast.pudong, "别家")
    device = make.device(session, other)
    with pytest.raises(Invalid, match="another customer"):
        make.ticket(session, mine, cast.ada, AT, device_id=device.id)


def test_a_balance_is_amounts_less_allocations(session: Session, cast: SimpleNamespace) -> None:
    customer = make.party(session, cast.pudong)
    today = AT.date()
    claim = make.invoice(session, customer, "1280.00", today - timedelta(days=42), today - timedelta(days=12), AT)
    make.receipt(session, customer, "280.00", today - timedelta(days=5), AT, pays=claim)

    balance = ledger.balance(session, customer.id, today)
    assert (balance.total, balance.overdue, balance.oldest_days) == (Decimal("1000.00"), Decimal("1000.00"), 12)
    assert ledger.balance(session, customer.id, today - timedelta(days=6)).total == Decimal("1280.00")


def test_money_received_and_not_yet_used_takes_away_and_is_never_late(session: Session, cast: SimpleNamespace) -> None:
    customer, today = make.party(session, cast.pudong), AT.date()
    make.invoice(session, customer, "1000.00", today, today, AT)
    make.receipt(session, customer, "300.00", today - timedelta(days=41), AT)

    balance = ledger.balance(session, customer.id, today)
    assert (balance.total, balance.overdue) == (Decimal("700.00"), Decimal("0.00"))
    assert [(item.owed, item.days_late) for item in balance.items] == [(Decimal("-300.00"), 0), (Decimal("1000.00"), 0)]


def test_without_a_scope_nothing_is_read_and_nothing_written(
    clean: db.Database, committed_cast: SimpleNamespace
) -> None:
    with db.begin(scope.ALL, clean.app) as session:
        make.ticket(session, make.party(session, committed_cast.pudong), committed_cast.ada, AT)
    with clean.app.connect() as raw:
        assert raw.execute(text("select count(*) from ticket")).scalar_one() == 0
    with db.begin(scope.Scope((committed_cast.suzhou.id,)), clean.app) as session:
        assert session.scalars(select(Ticket)).all() == []
        with pytest.raises(Exception, match="row-level security"):
            make.party(session, committed_cast.pudong)
            session.flush()


def test_the_app_role_owns_nothing_and_cannot_rewrite_history(clean: db.Database) -> None:
    with clean.app.connect() as raw:
        owned, super_ = raw.execute(
            text(
                "select (select count(*) from pg_tables where tableowner = current_user), rolsuper or rolbypassrls "
                "from pg_roles where rolname = current_user"
            )
        ).one()
        assert (owned, super_) == (0, False)
        with pytest.raises(Exception, match="permission denied"):
            raw.execute(text("delete from audit_entry"))


def test_the_night_reads_every_branch_but_no_password_and_writes_nothing(
    clean: db.Database, committed_cast: SimpleNamespace
) -> None:
    with db.begin(scope.ALL, clean.app) as session:
        make.party(session, committed_cast.suzhou)
    for forbidden in ("select password from staff", "update party set name = 'x'", "delete from party"):
        with clean.night.connect() as raw, pytest.raises(Exception, match="permission denied"):
            raw.execute(text(forbidden))
    with clean.night.connect() as raw:
        assert raw.execute(text("select count(*) from party")).scalar_one() == 1
