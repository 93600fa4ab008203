"""A few typed letters find the thing, closest first, in the branches of whoever types and nowhere else."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.core import db, masking, scope, search
from service.core.search import Entry
from service.parties import index as parties
from service.parties import queries
from service.parties.model import PartyAccount
from tests import make

CLEO: masking.Reader = SimpleNamespace(reads=lambda _code: True)  # sees whole numbers
ADA: masking.Reader = SimpleNamespace(reads=lambda code: code == masking.PHONE_REVEAL)


@pytest.fixture
def found(session: Session, cast: SimpleNamespace) -> SimpleNamespace:
    """Four customers who resemble each other."""
    first = make.party(session, cast.pudong, "上海恒通物流有限公司", number="C-1001", address="昆山市中山路 88 号")
    second = make.party(session, cast.pudong, "恒通", number="C-2001")
    third = make.party(session, cast.suzhou, "Zebra Repair (Suzhou)", number="C-3001")
    fourth = make.party(session, cast.suzhou, "重庆长安单记", number="C-1002")
    for name in ("شركة النور للتجارة", "Café Zürich №5", "Привет Сервис"):
        make.party(session, cast.suzhou, name)
    session.add(PartyAccount(party_id=second.id, account="ZH-7", book="册B0917", branch_id=second.branch_id))
    session.flush()
    make.contact(session, first, "王丽华")
    make.phone(session, first, "138 0000 1001")
    make.phone(session, second, "021-6234 5678")
    return SimpleNamespace(first=first, second=second, third=third, fourth=fourth)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("恒通", ["恒通", "上海恒通物流有限公司"]),
        ("恒通 物流", ["上海恒通物流有限公司"]),
        ("ht", ["恒通", "上海恒通物流有限公司"]),
        ("hengtong", ["恒通", "上海恒通物流有限公司"]),
        ("恒通wl", ["上海恒通物流有限公司"]),
        ("wlh", ["上海恒通物流有限公司"]),
        ("王丽华", ["上海恒通物流有限公司"]),
        ("中山路", ["上海恒通物流有限公司"]),
        ("c-2001", ["恒通"]),
        ("2001", ["恒通"]),
        ("C100", ["重庆长安单记", "上海恒通物流有限公司"]),
        ("13800001001", ["上海恒通物流有限公司"]),
        ("+86 138 0000 1001", ["上海恒通物流有限公司"]),
        ("01001", ["上海恒通物流有限公司"]),
        ("62345678", ["恒通"]),
        ("02162345678", ["恒通"]),
        ("zeb", ["Zebra Repair (Suzhou)"]),
        ("ＺＥＢＲＡ suz", ["Zebra Repair (Suzhou)"]),
        ("cqca", ["重庆长安单记"]),
        ("شركة النو", ["شركة النور للتجارة"]),
        ("zürich", ["Café Zürich №5"]),
        ("Привет", ["Привет Сервис"]),
        ("册B0917", ["恒通"]),
        ("b0917", ["恒通"]),
        ("重庆长安1002", ["重庆长安单记"]),
        ("通恒", []),
        ("恒通 zebra", []),
        ("", []),
        (" ()- ", []),
        ("%", []),
        ("'", []),
        ("\\", []),
        ("a & b | !c:*", []),
    ],
)
def test_typed_letters_find_the_customer_closest_first(
    typed: str, names: list[str], session: Session, found: SimpleNamespace
) -> None:
    assert [row.name for row in queries.search(session, typed, reader=CLEO)] == names


def test_signs_with_several_readings_are_found_by_each() -> None:
    read = search.tokens(Entry("party", 1, 1, "单雄"))
    assert {"isx", "idx", "yshanxiong", "ydanxiong"} <= read


def test_a_changed_thing_is_found_as_it_is_and_a_dropped_one_not_at_all(session: Session, found: SimpleNamespace) -> None:
    found.second.name = "顺达"
    session.flush()
    parties.index(session, [found.second.id])
    assert [row.name for row in queries.search(session, "sd", reader=CLEO)] == ["顺达"]
    assert [row.name for row in queries.search(session, "恒通", reader=CLEO)] == ["上海恒通物流有限公司"]
    search.drop(session, "party", [found.second.id])
    assert queries.search(session, "顺达", reader=CLEO) == []


def test_without_phones_digits_are_codes_alone(session: Session, found: SimpleNamespace) -> None:
    assert search.find(session, "13800001001", kinds=["party"], phones="none") == []
    assert [hit.label for hit in search.find(session, "1001", kinds=["party"], phones="none")] == ["上海恒通物流有限公司"]


@pytest.mark.parametrize("typed", ["13800001001", "138 0000 1001", "+86 138-0000-1001", "008613800001001", "恒通 13800001001"])
def test_who_sees_no_whole_numbers_finds_by_the_whole_of_one(typed: str, session: Session, found: SimpleNamespace) -> None:
    assert [row.name for row in queries.search(session, typed, reader=ADA)] == ["上海恒通物流有限公司"]


def test_a_landline_is_whole_with_its_area_code(session: Session, found: SimpleNamespace) -> None:
    assert [row.name for row in queries.search(session, "021-6234 5678", reader=ADA)] == ["恒通"]
    assert queries.search(session, "62345678", reader=ADA) == []


def test_no_part_of_a_number_finds_its_owner_for_them(session: Session, found: SimpleNamespace) -> None:
    whole = "13800001001"
    parts = {whole[begin:end] for begin in range(len(whole)) for end in range(begin + 4, len(whole) + 1)}
    assert {part for part in parts - {whole, "1001"} if queries.search(session, part, reader=ADA)} == set()  # 1001 is a customer's own number


def test_nobody_finds_anything_of_another_branch(session: Session, cast: SimpleNamespace, found: SimpleNamespace) -> None:
    connection = session.connection()
    for branch, names in (([cast.suzhou.id], ["重庆长安单记"]), ([cast.pudong.id], []), ([], [])):
        scope.declare(connection, scope.Scope(tuple(branch)))
        assert [row.name for row in queries.search(session, "重庆", reader=CLEO)] == names
    scope.declare(connection, scope.ALL)


def test_the_table_itself_keeps_to_the_branches(committed_cast: SimpleNamespace, database: db.Database) -> None:
    with db.begin(scope.ALL) as work:
        make.party(work, committed_cast.pudong, "浦东客户")
    for seen, count in ((scope.ALL, 1), (scope.Scope((committed_cast.suzhou.id,)), 0), (scope.NONE, 0)):
        with db.begin(seen) as work:
            assert work.scalar(text("select count(*) from search_entry")) == count


def test_all_that_exists_is_indexed_anew(committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        for number in range(7):
            make.party(work, committed_cast.pudong, f"老客户{number}")
        work.execute(text("delete from search_entry"))
    search.rebuild((parties.rebuild,), {})
    with db.begin(scope.ALL) as work:
        assert len(queries.search(work, "老客户", reader=CLEO)) == 7


@given(st.text(max_size=120))
def test_whatever_is_typed_is_a_question_that_postgresql_can_read(typed: str) -> None:
    with db.begin(scope.NONE) as work:
        assert search.find(work, typed, kinds=["party"]) == []
