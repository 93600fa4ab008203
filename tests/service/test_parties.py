"""The archive of parties: a whole one is written and changed, two who edit meet, what is in use stays, categories are a tree."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import masking, scope
from service.core import phone as phones
from service.core.editing import Stale
from service.core.errors import Invalid, NotFound
from service.core.model import AuditEntry
from service.parties import actions, categories, duplicates, forms, queries, rules
from service.parties.actions import LooksAlike, NewParty
from service.parties.model import Party, PartyPhone
from service.parties.schemas import AccountRow, ContactRow, ContractRow, DepartmentRow, MailRow, PartyDraft, PhoneRow
from tests import make
from tests.conftest import AT

CLEO: masking.Reader = SimpleNamespace(reads=lambda _code: True)  # sees whole numbers

TODAY = date(2026, 11, 23)


@pytest.fixture
def category(session: Session, cast: SimpleNamespace) -> int:
    return categories.add(session, "customer", "企业客户", None, by=cast.root.id, at=AT)


@pytest.fixture
def draft(category: int) -> PartyDraft:
    li = ContactRow(None, "李伟", "经理", "采购部", phones=(PhoneRow(None, "138 0000 7001", "mobile"),), preferred=True,
                    mails=(MailRow(None, "li@example.com", "office"),))  # fmt: skip
    return PartyDraft(
        "上海恒通物流有限公司", roles=("customer", "vendor"), grade="vip", category_id=category, tags=("需预约",), tax_number="9131 0000-ab",
        departments=(DepartmentRow(None, "采购部"), DepartmentRow(None, "信息部")), contacts=(li, ContactRow(None, "何静", department="信息部")),
        phones=(PhoneRow(None, "021-6234 5678", "office"),), accounts=(AccountRow(None, "收费", "30001234", "B017"),),
        contracts=(ContractRow(None, "HT-1", "年保", date(2026, 1, 1), date(2026, 12, 31), ("上门", "耗材")),),
    )  # fmt: skip


@pytest.fixture
def made(session: Session, cast: SimpleNamespace, draft: PartyDraft) -> queries.Card:
    found = queries.card(session, actions.create(session, draft, by=cast.ada.id, branch_id=cast.pudong.id, at=AT))
    assert found
    return found


def again(card: queries.Card, draft: PartyDraft) -> PartyDraft:
    """The draft with the ids of what is stored, as the form sends it back."""
    contacts = []
    for row, stored in zip(draft.contacts, card.contacts, strict=True):
        numbers = tuple(replace(p, id=s.id) for p, s in zip(row.phones, card.phones_of(stored.id), strict=True))
        mails = tuple(replace(m, id=s.id) for m, s in zip(row.mails, card.mails_of(stored.id), strict=True))
        contacts.append(replace(row, id=stored.id, phones=numbers, mails=mails))
    return replace(
        draft,
        contacts=tuple(contacts),
        phones=tuple(replace(p, id=s.id) for p, s in zip(draft.phones, card.phones_of(None), strict=True)),
        departments=tuple(replace(d, id=key) for d, key in zip(draft.departments, card.departments, strict=True)),
        accounts=tuple(replace(a, id=s.id) for a, s in zip(draft.accounts, card.accounts, strict=True)),
        contracts=tuple(replace(c, id=s.id) for c, s in zip(draft.contracts, card.contracts, strict=True)),
    )


def lines(session: Session, party_id: int) -> list[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.entity == "party", AuditEntry.entity_id == party_id)
    return list(session.scalars(wanted.order_by(AuditEntry.id)))


def test_a_whole_party_is_on_file(made: queries.Card) -> None:
    assert made.party.roles == ("customer", "vendor")
    assert [(name, [one.name for one in people]) for name, people in made.groups] == [("采购部", ["李伟"]), ("信息部", ["何静"])]
    assert made.party.tax_number == "91310000AB"
    contract = made.contract(TODAY)
    assert contract and queries.holds(contract, TODAY) and not queries.holds(contract, date(2027, 1, 1))


def test_the_contract_that_holds_is_shown_before_a_later_one(session: Session, made: queries.Card) -> None:
    later = queries.Contract(party_id=made.party.id, name="下一年", valid_from=date(2027, 1, 1), valid_until=date(2027, 12, 31), branch_id=made.party.branch_id)
    session.add(later)
    session.flush()
    card = queries.card(session, made.party.id)
    assert card
    assert [one.name for on in (TODAY, date(2027, 5, 1)) if (one := card.contract(on))] == ["年保", "下一年"]


@pytest.mark.parametrize("typed", ["采购部", "何静", "li@example.com", "91310000ab", "30001234", "B017", "lw", "13800007001", "需预约"])
def test_it_is_found_by_all_that_stands_below_it(session: Session, made: queries.Card, typed: str) -> None:
    assert [row.id for row in queries.search(session, typed, reader=CLEO)] == [made.party.id]


def test_the_same_form_saved_again_changes_nothing(session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft) -> None:
    actions.change(session, made.party.id, again(made, draft), version=1, by=cast.ada.id, at=AT)
    assert made.party.version == 1
    assert [line.verb for line in lines(session, made.party.id)] == ["created"]


def test_a_change_tells_old_and_new_of_what_differs_alone(session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft) -> None:
    wanted = again(made, draft)
    li = replace(wanted.contacts[0], title="总监", phones=(*wanted.contacts[0].phones, PhoneRow(None, "13800007002", "home")))
    wanted = replace(wanted, grade="gold", contacts=(li, wanted.contacts[1]))
    actions.change(session, made.party.id, wanted, version=1, by=cast.ada.id, at=AT)

    line = lines(session, made.party.id)[-1]
    assert line.old and line.new
    assert (line.old["grade"], line.new["grade"]) == ("vip", "gold")
    assert {name.split(" ")[0] for name in line.new} == {"grade", "contact", "phone"}
    assert made.party.version == 2


def test_who_saves_upon_an_older_version_is_told(session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft) -> None:
    wanted = again(made, draft)
    actions.change(session, made.party.id, replace(wanted, note="Ada"), version=1, by=cast.ada.id, at=AT)
    with pytest.raises(Stale):
        actions.change(session, made.party.id, replace(wanted, note="Ben"), version=1, by=cast.ben.id, at=AT)
    assert made.party.note == "Ada"


def test_a_contact_with_tickets_stays_and_one_without_goes_with_its_numbers(
    session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft
) -> None:
    li, he = made.contacts
    make.ticket(session, made.party, cast.ada, AT, contact_id=he.id)
    wanted = again(made, draft)
    with pytest.raises(Invalid, match=r"何静.*Switch the contact off"):
        gone = (wanted.contacts[0], replace(wanted.contacts[1], gone=True))
        actions.change(session, made.party.id, replace(wanted, contacts=gone), version=1, by=cast.ada.id, at=AT)
    session.refresh(made.party)
    gone = (replace(wanted.contacts[0], gone=True), wanted.contacts[1])
    actions.change(session, made.party.id, replace(wanted, contacts=gone), version=made.party.version, by=cast.ada.id, at=AT)
    card = queries.card(session, made.party.id)
    assert card and [one.id for one in card.contacts] == [he.id] and card.phones_of(li.id) == []


def test_a_department_with_contacts_stays_until_they_have_another(session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft) -> None:
    wanted = again(made, draft)
    gone = (replace(wanted.departments[0], gone=True), wanted.departments[1])
    with pytest.raises(Invalid, match="采购部"):
        actions.change(session, made.party.id, replace(wanted, departments=gone), version=1, by=cast.ada.id, at=AT)
    moved = (replace(wanted.contacts[0], department="信息部"), wanted.contacts[1])
    actions.change(session, made.party.id, replace(wanted, departments=gone, contacts=moved), version=1, by=cast.ada.id, at=AT)
    card = queries.card(session, made.party.id)
    assert card and list(card.departments.values()) == ["信息部"]


def test_a_renamed_department_keeps_its_people_and_no_second_one_appears(
    session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft
) -> None:
    wanted = again(made, draft)
    renamed = (replace(wanted.departments[0], name="供应链部"), wanted.departments[1])
    actions.change(session, made.party.id, replace(wanted, departments=renamed), version=1, by=cast.ada.id, at=AT)
    card = queries.card(session, made.party.id)
    assert card and [name for name, _people in card.groups] == ["供应链部", "信息部"]


def test_rows_of_another_party_are_out_of_reach(session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft) -> None:
    other = make.party(session, cast.pudong, "别家", category_id=made.party.category_id)
    theirs = make.phone(session, other, "13900009999")
    wanted = PartyDraft("上海恒通物流有限公司", category_id=made.party.category_id, phones=(PhoneRow(theirs.id, "13700000000", gone=False),))
    actions.change(session, made.party.id, wanted, version=1, by=cast.ada.id, at=AT)
    actions.change(session, made.party.id, replace(wanted, phones=(PhoneRow(theirs.id, "1", gone=True),)), version=2, by=cast.ada.id, at=AT)
    assert session.get_one(PartyPhone, theirs.id).raw == "13900009999"


def test_a_double_click_makes_one_party(session: Session, cast: SimpleNamespace, category: int) -> None:
    categories.make_usual(session, category, by=cast.root.id, at=AT)
    new = NewParty("新客户", "13700001111", "王芳", department="行政部", request_key="once")
    ids = {actions.create_party(session, new, by=cast.ada.id, branch_id=cast.pudong.id, at=AT) for _click in range(2)}
    assert len(ids) == 1
    card = queries.card(session, ids.pop())
    assert card and card.category == "企业客户" and [name for name, _people in card.groups] == ["行政部"]


@pytest.mark.parametrize("name", ["x" * 201, "", "\u202e\u200f", "   "])
def test_a_name_that_says_nothing_or_too_much_is_refused_in_words(session: Session, cast: SimpleNamespace, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.create_party(session, NewParty(name, ""), by=cast.ada.id, branch_id=cast.pudong.id, at=AT)
    assert "name" in refused.value.fields


@pytest.mark.parametrize("name", ["🏭 恒通 👩‍🔧", "شركة النور", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "x" * 200])
def test_any_other_name_is_taken_as_it_is(session: Session, cast: SimpleNamespace, name: str) -> None:
    made = actions.create_party(session, NewParty(name, ""), by=cast.ada.id, branch_id=cast.pudong.id, at=AT)
    assert session.get_one(Party, made).name == name


# ---- look-alikes


@pytest.mark.parametrize(
    "other",
    ["上海恒通物流股份有限公司", "上海恒通物流", "上海 恒通 物流 有限公司", "（上海）恒通物流有限责任公司", "上海恒通物流（集团）有限公司"],
)
def test_names_are_alike_but_for_writing_and_legal_form(other: str) -> None:
    assert rules.name_key(other) == rules.name_key("上海恒通物流有限公司")
    assert rules.name_key("Zebra Repair Co., Ltd.") == rules.name_key("ＺＥＢＲＡ repair") != rules.name_key("Zebra")


def test_a_look_alike_is_shown_first_and_saved_anyway_on_record(session: Session, cast: SimpleNamespace, made: queries.Card) -> None:
    new = NewParty("上海恒通物流", "138-0000-7001")
    with pytest.raises(LooksAlike) as shown:
        actions.create_party(session, new, by=cast.ada.id, branch_id=cast.pudong.id, at=AT, anyway=False)
    assert [(one.id, one.reasons) for one in shown.value.alike] == [(made.party.id, ("name", "phone"))]
    second = actions.create_party(session, new, by=cast.ada.id, branch_id=cast.pudong.id, at=AT, anyway=True)
    assert [line.verb for line in lines(session, second)] == ["created", "saved despite look-alikes"]
    assert [(pair.one.id, pair.other.id, pair.one.reasons) for pair in queries.pairs(session)] == [(made.party.id, second, ("name", "phone"))]
    assert queries.pairs(session, (made.party.id, second)) == []


@pytest.mark.parametrize(("field", "value"), [("tax_number", "9131-0000ab"), ("accounts", ("30001234",))])
def test_tax_and_account_numbers_are_compared_too(session: Session, made: queries.Card, field: str, value: str) -> None:
    assert [one.id for one in duplicates.alike(session, duplicates.Asked(**{field: value}))] == [made.party.id]
    assert duplicates.alike(session, duplicates.Asked(**{field: value}, but=made.party.id)) == []


# ---- out of use, categories, who calls


def test_what_is_out_of_use_is_found_last_and_is_needed_with_a_reason(session: Session, cast: SimpleNamespace, made: queries.Card) -> None:
    other = make.party(session, cast.pudong, "上海恒通物流有限公司第二仓库")
    with pytest.raises(Invalid, match="1 open ticket"):
        actions.disable(session, made.party.id, " ", pending=["1 open ticket"], by=cast.ada.id, at=AT)
    actions.disable(session, made.party.id, "搬走了", pending=["1 open ticket"], by=cast.ada.id, at=AT)
    assert [(row.id, row.state) for row in queries.search(session, "恒通物流", reader=CLEO)] == [(other.id, "active"), (made.party.id, "disabled")]
    actions.enable(session, made.party.id, by=cast.ada.id, at=AT)
    assert next(row.id for row in queries.search(session, "恒通物流", reader=CLEO)) == made.party.id


def test_a_category_in_use_or_with_others_below_stays(session: Session, cast: SimpleNamespace, made: queries.Card, category: int) -> None:
    by = {"by": cast.root.id, "at": AT}
    below = categories.add(session, "customer", "物流", category, **by)
    for wanted in (category, category):
        with pytest.raises(categories.CategoryInUse):
            categories.remove(session, wanted, **by)
    categories.remove(session, below, **by)
    with pytest.raises(categories.CategoryInUse, match="in use"):
        categories.remove(session, category, **by)
    with pytest.raises(Invalid, match="already"):
        categories.add(session, "customer", "企业客户", None, **by)
    assert categories.counts(session) == {category: 1}


def test_every_customer_has_a_category_once_there_are_any(session: Session, cast: SimpleNamespace, draft: PartyDraft) -> None:
    with pytest.raises(Invalid) as refused:
        actions.create(session, replace(draft, category_id=None), by=cast.ada.id, branch_id=cast.pudong.id, at=AT)
    assert refused.value.fields.keys() == {"category_id"}


def test_a_number_tells_whose_it_is(session: Session, made: queries.Card) -> None:
    asked = [(phones.parse("+86 138 0000 7001"), scope.ALL), (phones.parse("02162345678"), scope.ALL)]
    (mobile,), (office,) = queries.match_phones(session, asked)
    assert (mobile.source, mobile.label, mobile.contact_name, mobile.department, mobile.title) == ("contact", "mobile", "李伟", "采购部", "经理")
    assert (office.source, office.label, office.contact_name) == ("party", "office", None)


def test_who_left_and_who_is_out_of_use_are_named_last(session: Session, cast: SimpleNamespace, made: queries.Card) -> None:
    number = phones.parse("13800007001")
    other = make.party(session, cast.pudong, "后来的")
    make.phone(session, other, "13800007001")
    actions.called(session, [(made.party.id, number, AT + timedelta(days=1))])
    assert [one.party_id for one in queries.match_phones(session, [(number, scope.ALL)])[0]] == [made.party.id, other.id]
    made.contacts[0].active = False
    session.flush()
    assert [one.party_id for one in queries.match_phones(session, [(number, scope.ALL)])[0]] == [other.id, made.party.id]


def test_who_look_alike_and_are_two_are_suspected_no_more_until_somebody_doubts(session: Session, cast: SimpleNamespace, made: queries.Card) -> None:
    twin = make.party(session, cast.pudong, "上海恒通物流公司")
    third = make.party(session, cast.pudong, "恒通物流（上海）")

    def suspected(*, apart: bool = False) -> set[tuple[int, int]]:
        return {(pair.one.id, pair.other.id) for pair in queries.pairs(session, apart=apart)}

    pair = (made.party.id, twin.id)
    assert pair in suspected() and not suspected(apart=True)
    for _twice in range(2):
        duplicates.told_apart(session, twin.id, made.party.id, by=cast.cleo.id, at=AT)
    assert pair not in suspected() and suspected(apart=True) == {pair}
    mine = queries.Asked(made.party.name, but=made.party.id)
    assert twin.id not in {one.id for one in queries.alike(session, mine)}
    assert twin.id in {one.id for one in queries.alike(session, replace(mine, but=third.id))}, "whoever is new is still warned of both"
    assert [lines(session, one)[-1].verb for one in pair] == ["told apart", "told apart"]
    assert [line.verb for line in lines(session, twin.id)].count("told apart") == 1
    duplicates.suspected_again(session, made.party.id, twin.id, by=cast.cleo.id, at=AT)
    assert pair in suspected()
    with pytest.raises(NotFound):
        duplicates.told_apart(session, made.party.id, made.party.id, by=cast.cleo.id, at=AT)


class Little:
    """Somebody who may write parties and see neither numbers nor amounts."""

    def reads(self, permission: str, /) -> bool:
        return permission == "party.write"



def test_what_a_person_may_not_see_stays_as_it_is_when_they_save(session: Session, cast: SimpleNamespace, made: queries.Card, draft: PartyDraft) -> None:
    whole = "310101199001011234"
    wanted = replace(again(made, draft), kind="person", credit_limit=Decimal("50000.00"), tax_number=whole)
    actions.change(session, made.party.id, wanted, version=1, by=cast.mei.id, at=AT)
    card = queries.card(session, made.party.id)
    assert card
    shown = forms.from_card(card, Little())
    assert shown.get("credit_limit") == "" and shown.get("tax_number") == "310***********1234"
    sent = forms.to_draft(shown, Little(), card)
    assert (sent.credit_limit, sent.tax_number) == (Decimal("50000.00"), whole)
    shown.values["tax_number"] = "310***********9999"
    with pytest.raises(Invalid, match="covered with stars"):
        forms.to_draft(shown, Little(), card)
    assert [one.id for one in queries.search(session, "19900101", reader=CLEO)] == [], "parts of it add up to the whole"
