"""Two parties become one: every row of every table follows, whose it was stays known, the old number finds the new one."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.calls import matching
from service.calls.model import AgentPop
from service.calls.schemas import Ring
from service.core import clock, masking, scope
from service.core.config import Settings
from service.core.editing import Stale
from service.core.errors import DeskError, NotFound
from service.core.model import AuditEntry
from service.ledger import queries as ledger
from service.parties import actions, merging, queries
from service.parties.model import Party, PartyMergeRow
from service.tickets.model import Ticket
from service.wire import wire
from tests import make
from tests.conftest import AT

CLEO: masking.Reader = SimpleNamespace(reads=lambda _code: True)  # sees whole numbers

NAMING = text("""
    select table_.relname, column_.attname from pg_constraint fk
    join pg_class table_ on table_.oid = fk.conrelid join pg_attribute column_ on column_.attrelid = fk.conrelid and column_.attnum = fk.conkey[1]
    where fk.contype = 'f' and fk.confrelid = 'party'::regclass and table_.relname not in ('party', 'party_merge_row') order by 1
""")


@pytest.fixture
def two(settings: Settings, session: Session, cast: SimpleNamespace) -> SimpleNamespace:
    """The same customer twice, the old one with a row in every table that knows parties."""
    wire(settings)
    before = make.party(session, cast.pudong, "恒通")
    old = make.party(session, cast.pudong, "恒通物流", number="C-OLD", address="旧址", tags=["老"], vendor=True, contract_name="年保")
    new = make.party(session, cast.pudong, "上海恒通物流有限公司", number="C-NEW", tags=["新"])
    after = make.party(session, cast.pudong, "恒通股份")
    contact = make.contact(session, old, "李伟", preferred=True)
    make.contact(session, new, "何静", preferred=True)
    make.phone(session, old, "13800001001", contact)
    for party in (old, new):
        make.phone(session, party, "02162345678")
    device = make.device(session, old)
    make.site(session, cast.pudong, party_id=old.id)
    make.project(session, cast.pudong, party_id=old.id)
    ticket = make.ticket(session, old, cast.ada, AT, contact_id=contact.id)
    make.invoice(session, old, "300.00", date(2026, 10, 1), date(2026, 10, 31), AT)
    make.invoice(session, new, "50.00", date(2026, 10, 1), date(2026, 10, 31), AT)
    ring = Ring("pbx1", "1795395600.1", "1001", caller_number="13800001001", direction="inbound")
    pop = calls.phone_rings(session, ring, at=AT)
    call = make.call(session, AT)
    missed = make.call(session, AT, caller_number="13800001001", disposition="abandoned", answered_by=None, answered_at=None)
    actions.add_contact(session, old.id, actions.NewContact("王芳", department="采购部", phone="13900001111"), by=cast.ada.id, at=AT)
    for statement in (
        "insert into contact_mail (party_id, contact_id, address, branch_id) values (:party, :contact, 'x@y.cn', :branch)",
        "insert into party_account (party_id, account, branch_id) values (:party, '3001', :branch)",
        "insert into device_holding (device_id, began_at, party_id, branch_id) values (:device, now(), :party, :branch)",
        "insert into device_swap (kind, old_device_id, party_id, done_on, at, by_id, branch_id) values ('removal', :device, :party, now(), now(), :by, :branch)",
        "insert into party_apart (one_id, other_id, by_id, at, branch_id) values (:before, :party, :by, now(), :branch), (:party, :after, :by, now(), :branch)",
        "update missed_caller set party_id = :party",
        "update call set party_id = :party",
    ):
        session.execute(text(statement), {"party": old.id, "contact": contact.id, "branch": old.branch_id, "device": device.id, "by": cast.ada.id,
                                          "before": before.id, "after": after.id})  # fmt: skip
    calls.orders.dial(session, "13800001001", key="k" * 20, by=cast.ada.id, at=clock.now(), about=calls.About(old.id, contact.id, "party", old.id))
    return SimpleNamespace(old=old, new=new, contact=contact, ticket=ticket, pop=pop, call=call, missed=missed)


def merge(session: Session, two: SimpleNamespace, *chosen: str, within: scope.Scope = scope.ALL, by: int = 1) -> None:
    actions.merge(session, two.old.id, two.new.id, chosen, within=within, by=by, at=AT)


def naming(session: Session, party_id: int) -> dict[str, int]:
    """How many rows of each table name the party; a table that a later context adds is counted by itself."""
    columns = session.execute(NAMING).all()
    count = "select count(*) from {} where {} = :party"
    return {f"{table}.{column}": session.scalar(text(count.format(table, column)), {"party": party_id}) or 0 for table, column in columns}


def test_no_row_of_any_table_names_the_old_party_any_more(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    before = naming(session, two.old.id)
    assert {name for name, rows in before.items() if not rows} == set(), "the fixture has a row in each table"
    merge(session, two, by=cast.mei.id)
    assert set(naming(session, two.old.id).values()) == {0}
    after = naming(session, two.new.id)
    pairs = [name for name in before if name.startswith("party_apart.")]  # whoever stood before the old one may stand after the new one
    assert sum(after[name] for name in pairs) == sum(before[name] for name in pairs) == 2
    assert all(after[name] >= rows for name, rows in before.items() if name not in ("party_phone.party_id", *pairs))


def test_whose_each_row_was_stays_known(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    merge(session, two, by=cast.mei.id)
    traced = {(row.kind, row.row_id): row.party_id for row in session.scalars(select(PartyMergeRow))}
    assert traced["ticket", two.ticket.id] == traced["call", two.call.id] == traced["contact", two.contact.id] == two.old.id
    assert {"device", "ledger_item", "agent_pop", "missed_caller", "phone_order", "contract", "party_account"} <= {kind for kind, _row in traced}
    told = session.scalars(select(AuditEntry.verb).where(AuditEntry.entity_id == two.new.id, AuditEntry.entity == "party").order_by(AuditEntry.id)).all()
    assert told[-2:] == ["took over", "merged"]


def test_the_old_number_and_name_find_the_one_that_stays(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    merge(session, two, by=cast.mei.id)
    assert [row.id for row in queries.search(session, "C-OLD", reader=CLEO)] == [two.new.id]
    assert [row.id for row in queries.search(session, "恒通物流", reader=CLEO)] == [two.new.id]
    card = queries.card(session, two.old.id)
    assert card and card.party.id == two.new.id
    assert make.ticket(session, two.old, cast.ada, AT).party_id == two.new.id


def test_chosen_values_are_taken_and_roles_and_tags_of_both_kept(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    merge(session, two, "address", by=cast.mei.id)
    assert (two.new.name, two.new.address, two.new.roles, two.new.tags) == ("上海恒通物流有限公司", "旧址", ("customer", "vendor"), ["新", "老"])
    card = queries.card(session, two.new.id)
    assert card and [one.name for one in card.contacts if one.preferred] == ["何静"]
    assert [one.raw for one in card.phones_of(None)] == ["02162345678"]
    assert {one.branch_id for one in card.contacts} == {two.new.branch_id}


def test_both_balances_are_one_and_the_books_keep_amount_and_day(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    merge(session, two, by=cast.mei.id)
    balance = ledger.balance(session, two.new.id, date(2026, 11, 23))
    assert (balance.total, balance.overdue) == (Decimal("350.00"), Decimal("350.00"))


@pytest.mark.parametrize("change", ["party_id = {other}", "amount = 1", "party_id = {new}, due_on = '2030-01-01'"])
def test_nothing_else_moves_or_changes_an_item_of_the_books(session: Session, cast: SimpleNamespace, two: SimpleNamespace, change: str) -> None:
    other = make.party(session, cast.pudong, "别家")
    said = change.format(other=other.id, new=two.new.id)
    with pytest.raises(DBAPIError, match=r"the books are added to|permission denied"), session.begin_nested():
        session.execute(text(f"update ledger_item set {said}"))


def test_only_who_may_write_both_merges_them(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    with pytest.raises(NotFound):
        merge(session, two, within=scope.Scope((cast.suzhou.id,)), by=cast.dan.id)
    assert session.get_one(Party, two.old.id).state == "active"


def test_parties_of_two_branches_stay_two(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    two.new = make.party(session, cast.suzhou, "恒通物流苏州")
    with pytest.raises(merging.DifferentBranches):
        merge(session, two, by=cast.mei.id)


def test_a_party_cannot_become_itself_or_what_is_gone(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    with pytest.raises(DeskError):
        actions.merge(session, two.new.id, two.new.id, within=scope.ALL, by=1, at=AT)
    merge(session, two, by=cast.mei.id)
    with pytest.raises(NotFound):
        actions.merge(session, two.new.id, two.old.id, within=scope.ALL, by=1, at=AT)


def test_what_became_another_twice_leads_to_the_last(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    last = make.party(session, cast.pudong, "恒通集团", number="C-LAST")
    merge(session, two, by=cast.mei.id)
    actions.merge(session, two.new.id, last.id, within=scope.ALL, by=cast.mei.id, at=AT)
    assert [merging.survivor(session, one) for one in (two.old.id, two.new.id, last.id)] == [last.id] * 3
    assert {row.id for typed in ("C-OLD", "C-NEW") for row in queries.search(session, typed, reader=CLEO)} == {last.id}


def test_a_call_that_was_just_being_stored_follows_later(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    merge(session, two, by=cast.mei.id)
    late = make.call(session, AT)
    late.party_id = two.old.id
    session.flush()
    merging.sweep(session, at=AT)
    session.refresh(late)
    assert late.party_id == two.new.id


def test_who_rings_after_the_merge_is_the_one_that_stays(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    merge(session, two, by=cast.mei.id)
    cast.ada.reach = "all"
    session.flush()
    ring = Ring("pbx1", "1795395600.9", "1001", caller_number="13800001001", direction="inbound")
    pop = session.get_one(AgentPop, calls.phone_rings(session, ring, at=AT))
    assert (pop.party_id, [match["name"] for match in pop.matches]) == (two.new.id, ["上海恒通物流有限公司"])


def test_who_stands_in_both_is_one_person_afterwards(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    same, other = (make.contact(session, two.new, name) for name in ("李伟", "王芳"))
    make.phone(session, two.new, "138 0000 1001", same)
    make.phone(session, two.new, "13700009999", other)  # a namesake, with a number of her own
    make.phone(session, two.old, "13600008888", two.contact)
    merge(session, two, by=cast.mei.id)
    card = queries.card(session, two.new.id)
    assert card
    people = [(contact.id, contact.name) for contact in card.contacts if contact.active]
    assert [name for _id, name in people].count("李伟") == 1 and (same.id, "李伟") in people
    assert [name for _id, name in people].count("王芳") == 2
    assert {phone.digits for phone in card.phones if phone.contact_id == same.id} == {"8613800001001", "8613600008888"}
    assert session.get_one(Ticket, two.ticket.id).contact_id == two.contact.id  # the old row stays for what names it
    assert len(matching.matched(session, [(matching.side("inbound", "13800001001", "62345678"), scope.ALL)])[0]) == 1


def test_what_was_compared_is_what_is_merged(session: Session, cast: SimpleNamespace, two: SimpleNamespace) -> None:
    seen = two.old.version, two.new.version
    two.new.note, two.new.version = "别人刚写的", two.new.version + 1
    session.flush()
    with pytest.raises(Stale, match="Compare"):
        actions.merge(session, two.old.id, two.new.id, within=scope.ALL, by=cast.mei.id, at=AT, versions=seen)
    actions.merge(session, two.old.id, two.new.id, within=scope.ALL, by=cast.mei.id, at=AT, versions=(two.old.version, two.new.version))
    assert two.old.state == "merged"
