"""A batch from the file to the result and back: nothing twice, nothing lost, nothing of others."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select, text

from service.core import clock, db, jobs, scope
from service.core.config import Settings
from service.core.model import AuditEntry
from service.devices.model import Device
from service.imports import actions, folder, queries, targets, words, work
from service.imports.actions import Brought
from service.imports.model import Batch, ImportRow
from service.parties import queries as parties
from service.parties.model import Contact, Contract, Party, PartyPhone
from service.staff.model import Branch, Staff
from service.staff.roles import actions as roles
from service.staff.roles.actions import Facts
from service.wire import wire
from tests import make
from tests.imports.files import book, lines

HEADS = ("客户名称", "联系人", "电话", "账期", "合同到期")
GOOD = ("上海恒通物流有限公司", "王丽华", "13812341001；021-62345678", 45, "2027/6/30")
DEVICES = ("客户", "设备名称", "型号", "序列号", "质保到期")


@pytest.fixture
def place(settings: Settings, tmp_path: Path, committed_cast: SimpleNamespace) -> Iterator[Path]:
    wire(replace(settings, data=tmp_path))
    yield tmp_path / "imports"
    wire(settings)


@pytest.fixture
def bring(place: Path, committed_cast: SimpleNamespace) -> Callable[..., int]:
    def one(target: str, content: bytes, *, by: Any = None, within: scope.Scope = scope.ALL, branch: Any = None) -> int:
        kept = folder.keep(place, io.BytesIO(content))
        person = by or committed_cast.root
        with db.begin(within) as session:
            return actions.bring(session, place, Brought(target, "t.xlsx", kept), by=person.id, branch_id=(branch or committed_cast.pudong).id, at=clock.now())

    return one


def check(batch_id: int, within: scope.Scope = scope.ALL) -> Batch:
    with db.begin(within) as session:
        batch = actions.batch(session, batch_id)
        actions.check(session, batch, batch.mapping, by=batch.by_id, within=within, at=clock.now())
    return done(batch_id)


def load(batch_id: int, upon: str = "skip") -> Batch:
    with db.begin(scope.ALL) as session:
        batch = actions.batch(session, batch_id)
        actions.load(session, batch, upon, by=batch.by_id, within=scope.ALL, at=clock.now())
    return done(batch_id)


def undo(batch_id: int) -> Batch:
    with db.begin(scope.ALL) as session:
        batch = actions.batch(session, batch_id)
        actions.undo(session, batch, by=batch.by_id, within=scope.ALL, at=clock.now())
    return done(batch_id)


def done(batch_id: int) -> Batch:
    """The batch after all jobs."""
    while jobs.Worker(db.bound(), "test").step():
        pass
    with db.begin(scope.ALL) as session:
        return actions.batch(session, batch_id)


def count(model: Any) -> int:
    with db.begin(scope.ALL) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def search(session: Any, typed: str) -> Any:
    """As whoever sees whole numbers finds them."""
    return parties.search(session, typed, reader=SimpleNamespace(reads=lambda _permission: True))


def until(session: Any) -> str:
    return str(session.scalars(select(Contract.valid_until)).one())


def wrong(batch_id: int) -> list[tuple[int, str, str]]:
    with db.begin(scope.ALL) as session:
        rows = session.scalars(select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.wrong.is_not(None)).order_by(ImportRow.line))
        return [(row.line, one["field"], one["code"]) for row in rows for one in row.wrong or []]


def test_customers_come_with_contact_and_phones_and_can_be_found(bring: Callable[..., int]) -> None:
    batch = check(bring("parties", book(HEADS, GOOD, ("", "无名", "1", "", ""), ("苏州精工", "", "1.38E+10", "x", "26/11/2026"))))

    assert (batch.state, batch.rows, batch.good, batch.bad, batch.fresh) == ("checked", 3, 1, 2, 1)
    assert wrong(batch.id) == [(3, "name", "missing"), (3, "phones", "phone"), (4, "phones", "phone_rounded"), (4, "credit_days", "whole"), (4, "contract_until", "day")]
    assert count(Party) == 0
    batch = load(batch.id)
    assert (batch.state, batch.created, batch.failed) == ("loaded", 1, 0)
    with db.begin(scope.ALL) as session:
        party = session.scalars(select(Party)).one()
        assert (party.name, party.credit_days, until(session), party.grade) == (GOOD[0], 45, "2027-06-30", "standard")
        assert {(one.raw, one.contact_id is not None) for one in session.scalars(select(PartyPhone))} == {("13812341001", True), ("021-62345678", True)}
        assert [one.id for one in search(session, "htwl")] == [party.id] and [one.id for one in search(session, "62345678")] == [party.id]
        assert session.scalars(select(AuditEntry.verb).where(AuditEntry.entity == "import").order_by(AuditEntry.id)).all() == ["import began", "imported"]


def test_a_second_import_of_the_same_file_changes_nothing(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    content = lines(HEADS, GOOD, ("苏州精工", "李", "0512-62340000", "", ""), encoding="gbk")
    load(check(bring("parties", content)).id)
    state = count(Party), count(Contact), count(PartyPhone)
    again = check(bring("parties", content))

    assert (again.fresh, again.differing, again.good) == (0, 0, 2)
    again = load(again.id, "update")
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    assert (count(Party), count(Contact), count(PartyPhone)) == state


def test_what_differs_is_left_or_changed_as_asked_and_an_empty_cell_changes_nothing(bring: Callable[..., int]) -> None:
    load(check(bring("parties", book(HEADS, GOOD))).id)
    other = book(HEADS, (GOOD[0], "张三", "13900000001", 60, ""))
    first = check(bring("parties", other))
    assert (first.fresh, first.differing) == (0, 1)
    assert load(first.id).skipped == 1
    second = load(check(bring("parties", other)).id, "update")
    assert second.updated == 1
    with db.begin(scope.ALL) as session:
        party = session.scalars(select(Party)).one()
        assert (party.credit_days, until(session)) == (60, "2027-06-30")
    assert (count(Contact), count(PartyPhone)) == (2, 3)
    back = undo(second.id)
    assert back.state == "undone" and back.trouble is None
    with db.begin(scope.ALL) as session:
        assert session.scalars(select(Party.credit_days)).one() == 45
    assert (count(Contact), count(PartyPhone)) == (1, 2)


def test_a_change_made_since_is_kept_when_a_batch_is_taken_back(bring: Callable[..., int]) -> None:
    load(check(bring("parties", book(HEADS, GOOD))).id)
    batch = load(check(bring("parties", book(HEADS, (GOOD[0], "", "", 60, "")))).id, "update")
    with db.begin(scope.ALL) as session:
        session.scalars(select(Party)).one().credit_days = 90
    assert (undo(batch.id).trouble or {})["code"] == "left"
    with db.begin(scope.ALL) as session:
        assert session.scalars(select(Party.credit_days)).one() == 90


def test_devices_find_their_customers_and_rows_that_say_the_same_are_told(bring: Callable[..., int]) -> None:
    with db.begin(scope.ALL) as session:
        pudong = session.scalars(select(text("id")).select_from(text("branch")).limit(1)).one()
        for name in ("恒通（上海）", "双名", "双名"):
            make.party(session, SimpleNamespace(id=pudong), name=name)
    batch = check(bring("devices", book(DEVICES, ("恒通(上海)", "打印机", "ZT411", "S1", 46352), ("没有", "打印机", "ZT411", "S2", ""), ("双名", "打印机", "ZT411", "S3", ""), ("恒通（上海）", "打印机", "ZT411", "S1", ""))))

    assert wrong(batch.id) == [(3, "party", "party_unknown"), (4, "party", "party_several"), (5, "serial", "twice")]
    batch = load(batch.id)
    again = check(bring("devices", book(DEVICES, ("恒通（上海）", "打印机", "ZT411", "S1", ""))))
    assert (again.fresh, again.differing) == (0, 0)
    with db.begin(scope.ALL) as session:
        device = session.scalars(select(Device)).one()
        assert (device.serial, str(device.warranty_until), device.number[:4]) == ("S1", "2026-11-26", "DEV2")


def test_one_serial_is_two_devices_only_when_both_say_which_kind_they_are(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        other = make.party(session, committed_cast.pudong, name="别家")
        make.device(session, other, name="打印机", model="ZT411", serial="S1")
        make.party(session, committed_cast.pudong, name="恒通")
    rows = (("恒通", "打印机", "", "S1", ""), ("恒通", "打印机", "M1", "S1", ""), ("恒通", "电脑", "T14", "S2", ""), ("恒通", "电脑", "", "s-2", ""), ("恒通", "手机", "X9", "S2", ""))
    batch = check(bring("devices", book(DEVICES, *rows)))

    assert wrong(batch.id) == [(2, "serial", "device_elsewhere"), (5, "serial", "serial_taken")]


def test_what_is_in_use_is_not_taken_back_and_the_refusal_counts_it(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    batch = load(check(bring("parties", book(HEADS, GOOD, ("苏州精工", "", "", "", "")))).id)
    with db.begin(scope.ALL) as session:
        party = session.scalars(select(Party).where(Party.name == GOOD[0])).one()
        device = make.device(session, party)
    refused = undo(batch.id)

    assert (refused.state, refused.trouble) == ("loaded", {"code": "in_use", "facts": {"device": 1}})
    assert count(Party) == 2
    with db.begin(scope.ALL) as session:
        session.delete(session.merge(device))
    assert undo(batch.id).state == "undone"
    assert (count(Party), count(Contact), count(PartyPhone)) == (0, 0, 0)
    with db.begin(scope.ALL) as session:
        assert search(session, "精工") == []


def test_three_thousand_rows_and_a_worker_that_dies_in_their_midst(bring: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"客户 {n}", f"人 {n}", f"138{n:08d}", 30, "2027-01-31") for n in range(3000)]
    batch_id = check(bring("parties", lines(HEADS, *rows))).id
    pieces = iter(range(100))
    real = work.load_piece

    class Killed(BaseException):
        pass

    def dies(session: Any, turn: Any, most: int = work.PIECE) -> bool:
        more = real(session, turn, most)
        if next(pieces) == 2:
            raise Killed  # the third piece is written and not committed
        return more

    with db.begin(scope.ALL) as session:
        actions.load(session, actions.batch(session, batch_id), "skip", by=actions.batch(session, batch_id).by_id, within=scope.ALL, at=clock.now())
    monkeypatch.setattr(work, "load_piece", dies)
    with pytest.raises(Killed):
        jobs.Worker(db.bound(), "dies").step()
    assert count(Party) == 1000
    with db.begin(scope.ALL) as session:
        session.execute(text("update job set locked_until = now() - interval '1 hour' where state = 'running'"))
    batch = done(batch_id)
    assert (batch.state, batch.created) == ("loaded", 3000)
    assert (count(Party), count(Contact), count(PartyPhone)) == (3000, 3000, 3000)


def test_two_workers_at_one_batch_double_nothing(bring: Callable[..., int]) -> None:
    import threading

    batch_id = check(bring("parties", lines(HEADS, *[(f"客户 {n}", "", "", 30, "") for n in range(1500)]))).id
    with db.begin(scope.ALL) as session:
        batch = actions.batch(session, batch_id)
        actions.load(session, batch, "skip", by=batch.by_id, within=scope.ALL, at=clock.now())
        args = session.scalar(text("select args from job where name = 'imports.load' and state = 'ready'"))
    threads = [threading.Thread(target=work.load_job, args=(args,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batch = done(batch_id)
    assert (batch.state, batch.created, count(Party)) == ("loaded", 1500, 1500)


def test_one_row_that_a_rule_refuses_spoils_no_other(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    content = book(("用户名", "姓名", "角色"), ("root", "Root", "坐席"), ("li.lei", "李雷", "坐席；技术员"), ("BAD NAME", "x", "坐席"), ("han", "韩梅梅", "国王"))
    batch = check(bring("users", content))

    assert wrong(batch.id) == [(4, "username", "username"), (5, "roles", "choice")]
    batch = load(batch.id, "update")  # root would be the last administrator to go
    assert (batch.state, batch.created, batch.updated, batch.failed) == ("loaded", 1, 0, 1)
    with db.begin(scope.ALL) as session:
        row = session.scalars(select(Staff).where(Staff.username == "li.lei")).one()
        assert (row.name, row.password, sorted(role.name for role in row.roles)) == ("李雷", None, ["agent", "technician"])
    assert undo(batch.id).state == "undone"
    with db.begin(scope.ALL) as session:
        assert session.scalars(select(Staff).where(Staff.username == "li.lei")).first() is None


def test_a_role_of_the_firms_own_is_given_by_its_name_and_a_telephone_number_comes_along(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        roles.create(session, Facts("外勤工程师", "", "branch", ("ticket.read",)), by=committed_cast.root.id, at=clock.now())
        roles.create(session, Facts("旧角色", "", "branch", ("ticket.read",), active=False), by=committed_cast.root.id, at=clock.now())
    rows = (("li.lei", "李雷", "坐席；外勤工程师", "139 0571 1234"), ("han", "韩梅梅", "旧角色", ""), ("wu", "吴", "坐席", "139057112x"))
    batch = check(bring("users", book(("用户名", "姓名", "角色", "手机"), *rows)))

    assert wrong(batch.id) == [(3, "roles", "choice"), (4, "phone", "phone")]
    assert load(batch.id).created == 1
    with db.begin(scope.ALL) as session:
        row = session.scalars(select(Staff).where(Staff.username == "li.lei")).one()
        assert (row.phone, sorted(role.name for role in row.roles)) == ("139 0571 1234", ["agent", "外勤工程师"])


def test_contacts_come_to_their_customers(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        party = make.party(session, committed_cast.pudong, name="恒通")
    content = book(("客户", "姓名", "职务", "电话"), ("恒通", "王丽华", "科长", "13812341001"))
    batch = load(check(bring("contacts", content)).id)
    assert batch.created == 1
    with db.begin(scope.ALL) as session:
        assert session.scalars(select(Contact.title).where(Contact.party_id == party.id)).one() == "科长"
        assert [one.id for one in search(session, "wlh")] == [party.id]
    assert load(check(bring("contacts", content)).id).unchanged == 1
    assert undo(batch.id).state == "undone"
    with db.begin(scope.ALL) as session:
        assert search(session, "wlh") == []


def test_a_batch_of_another_branch_is_not_there(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    batch_id = bring("parties", book(HEADS, GOOD))
    with db.begin(scope.Scope((committed_cast.suzhou.id,))) as session, pytest.raises(Exception, match="no such import"):
        actions.batch(session, batch_id)


def test_a_number_of_a_branch_out_of_sight_is_told_and_spoils_no_other(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        make.party(session, committed_cast.suzhou, number="C-1")
    within = scope.Scope((committed_cast.pudong.id,))
    batch_id = check(bring("parties", book(("客户编号", "客户名称"), ("C-1", "甲"), ("C-2", "乙")), within=within), within).id
    with db.begin(within) as session:
        batch = actions.batch(session, batch_id)
        actions.load(session, batch, "skip", by=batch.by_id, within=within, at=clock.now())
    batch = done(batch_id)
    assert (batch.created, batch.failed) == (1, 1)
    assert wrong(batch_id) == [(2, "number", "taken")]


def test_what_is_remembered_of_headings_is_proposed_again(bring: Callable[..., int]) -> None:
    content = book(("甲", "乙"), ("恒通", "30"))
    with db.begin(scope.ALL) as session:
        batch = actions.batch(session, bring("parties", content))
        assert batch.mapping == {}
        actions.check(session, batch, {"name": 0, "credit_days": 1}, by=batch.by_id, within=scope.ALL, at=clock.now())
    with db.begin(scope.ALL) as session:
        assert actions.batch(session, bring("parties", content)).mapping == {"name": 0, "credit_days": 1}


def test_a_row_that_says_what_another_says_is_told_at_the_field_that_it_has(bring: Callable[..., int]) -> None:
    batch = check(bring("parties", book(("客户名称", "联系人"), ("苏州精工", "甲"), ("苏州精工有限公司", "乙"))))
    assert wrong(batch.id) == [(3, "name", "twice")]


def test_whatever_may_refer_to_customers_and_devices_has_a_name_in_the_refusal(place: Path) -> None:
    made = {table for target in targets.TARGETS.values() if target.name != "users" for table in target.tables}
    refer = {table.name for table in db.Base.metadata.tables.values() for key in table.foreign_keys if key.column.table.name in made}
    assert refer - made <= set(words.PLACES)


def test_one_person_whose_customer_is_called_by_number_and_by_name_comes_once(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        make.party(session, session.get_one(Branch, committed_cast.pudong.id), "恒通有限公司", number="C-77")
    batch = load(check(bring("contacts", book(("客户", "姓名"), ("C-77", "王"), ("恒通有限公司", "王"), ("C-77", "李")))).id)
    assert (batch.state, batch.created, batch.trouble) == ("loaded", 2, None)
    assert wrong(batch.id) == [(3, "name", "twice")] and count(Contact) == 2


def test_a_batch_whose_rows_were_swept_is_neither_taken_back_nor_loaded(bring: Callable[..., int], place: Path) -> None:
    batch = load(check(bring("parties", book(HEADS, GOOD))).id)
    waiting = check(bring("parties", book(HEADS, ("苏州精工", "", "", "", ""))))
    with db.begin(scope.ALL) as session:
        queries.sweep(place, session, at=clock.now() + queries.KEPT + timedelta(days=1))
    with pytest.raises(actions.NotNow, match="month"):
        undo(batch.id)
    with pytest.raises(actions.NotNow, match="month"):
        load(waiting.id)
    assert done(batch.id).state == "loaded" and count(Party) == 1


def test_a_half_loaded_batch_that_cannot_be_taken_back_goes_on_loading(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    batch = check(bring("parties", book(HEADS, ("甲公司", "", "", "", ""), ("乙公司", "", "", "", ""))))
    turn = work.Turn(batch.id, batch.by_id, scope.ALL)
    with db.begin(scope.ALL) as session:
        actions.batch(session, batch.id).state = "loading"
    with db.begin(scope.ALL) as session:
        work.load_piece(session, turn, 1)
    with db.begin(scope.ALL) as session:
        actions.batch(session, batch.id).state = "checked"
        make.device(session, session.scalars(select(Party)).one())
    batch = undo(batch.id)
    assert (batch.state, batch.trouble and batch.trouble["code"]) == ("checked", "in_use")
    batch = load(batch.id)
    assert (batch.state, batch.created) == ("loaded", 2)


def test_what_another_worker_has_settled_is_not_refused_in_its_place(bring: Callable[..., int]) -> None:
    batch = check(bring("parties", book(HEADS, ("甲公司", "", "", "", ""), ("乙公司", "", "", "", ""))))
    turn = work.Turn(batch.id, batch.by_id, scope.ALL)
    with db.begin(scope.ALL) as session:
        assert not work._refuse(session, turn, 2, "")  # it is not being loaded
        actions.batch(session, batch.id).state = "loading"
    with db.begin(scope.ALL) as session:
        work.load_piece(session, turn, 1)
    with db.begin(scope.ALL) as session:
        assert work._refuse(session, turn, 2, "")
    with db.begin(scope.ALL) as session:
        assert session.scalars(select(ImportRow.state).where(ImportRow.batch_id == batch.id).order_by(ImportRow.line)).all() == ["created", "good"]
