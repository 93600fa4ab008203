"""What a table brings into the archives of customers and devices, and what becomes of it when it is taken back."""

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select

from service.core import db, scope
from service.core.model import AuditEntry
from service.devices.model import Device, DeviceEvent, DeviceHolding
from service.parties import queries as parties
from service.parties.model import Party, PartyCategory, PartyDepartment
from service.staff.model import Branch
from tests import make
from tests.imports.files import book
from tests.imports.test_flow import bring as bring
from tests.imports.test_flow import check, count, load, undo, wrong
from tests.imports.test_flow import place as place

FULL = ("客户名称", "外部账号", "册号", "外部系统", "角色", "客户分类", "标签", "联系人", "职务", "部门", "电话", "联系人邮箱", "传真", "网址", "税号", "信用额度", "结算方式", "结算日",
        "合同编号", "合同名称", "合同开始", "合同到期", "服务内容", "备注")
ROW = ("上海恒通物流有限公司", "H-300127", "B-12", "计费", "客户；供应商", "物流", "重点；年检", "王丽华", "科长", "设备科", "13812341001", "w@h.example; l@h.example", "021-1", "h.example",
       "9131 0115 ma1k", "50,000.5", "月结", "25", "HT-1", "年保", "2026-07-01", "2027-06-30", "上门；耗材", "早九点后")
DEVICE = ("客户", "设备名称", "型号", "序列号", "安装位置", "使用部门", "使用人", "状态", "质保到期")


def categories() -> None:
    with db.begin(scope.ALL) as session:
        top = PartyCategory(name="企业", side="customer", position=1)
        session.add(top)
        session.flush()
        session.add(PartyCategory(name="物流", side="customer", parent_id=top.id, position=2))


def card(party_id: int) -> parties.Card:
    with db.begin(scope.ALL) as session:
        found = parties.card(session, party_id)
        assert found is not None
        return found


def test_a_whole_customer_comes_and_is_known_by_its_account_the_next_time(bring: Callable[..., int]) -> None:
    categories()
    assert load(check(bring("parties", book(FULL, ROW))).id).created == 1
    with db.begin(scope.ALL) as session:
        party = session.scalars(select(Party)).one()
        assert session.scalars(select(AuditEntry.verb).where(AuditEntry.entity == "party")).all() == ["imported"]
    found = card(party.id)
    assert (party.roles, found.category, party.tags, party.tax_number) == (("customer", "vendor"), "物流", ["重点", "年检"], "91310115MA1K")
    assert (party.credit_limit, party.settlement, party.settlement_day, party.fax, party.note) == (Decimal("50000.50"), "monthly", 25, "021-1", "早九点后")
    assert [(one.number, one.name, str(one.valid_until), one.services) for one in found.contracts] == [("HT-1", "年保", "2027-06-30", ["上门", "耗材"])]
    assert [(one.system, one.account, one.book) for one in found.accounts] == [("计费", "H-300127", "B-12")]
    assert found.department(found.contacts[0]) == "设备科" and [one.address for one in found.mails] == ["w@h.example", "l@h.example"]
    again = check(bring("parties", book(FULL, ("恒通（上海）物流", *ROW[1:]))))
    assert (again.fresh, again.differing) == (0, 1)  # the name alone
    assert load(check(bring("parties", book(FULL, ROW))).id, "update").unchanged == 1


def test_a_second_contract_is_added_and_goes_again(bring: Callable[..., int]) -> None:
    categories()
    load(check(bring("parties", book(FULL, ROW))).id)
    more = check(bring("parties", book(("客户名称", "合同编号", "合同到期", "联系人", "部门", "标签"), (ROW[0], "HT-2", "2028-06-30", "李伟", "采购部", "年检；新"))))
    assert load(more.id, "update").updated == 1
    with db.begin(scope.ALL) as session:
        party = session.scalars(select(Party)).one()
        assert (party.version, party.tags) == (2, ["重点", "年检", "新"])
    found = card(party.id)
    assert {one.number for one in found.contracts} == {"HT-1", "HT-2"} and {one.name for one in found.contacts} == {"王丽华", "李伟"}
    assert undo(more.id).state == "undone"
    found = card(party.id)
    assert [one.number for one in found.contracts] == ["HT-1"] and [one.name for one in found.contacts] == ["王丽华"] and count(PartyDepartment) == 1


def test_what_makes_no_sense_of_a_customer_is_told(bring: Callable[..., int]) -> None:
    categories()
    heads = ("客户名称", "客户分类", "职务", "合同开始", "合同到期", "信用额度")
    batch = check(bring("parties", book(heads, ("甲", "企业 / 没有", "", "", "", ""), ("乙", "企业/物流", "科长", "", "", ""), ("丙", "", "", "2027-01-01", "2026-01-01", "-5"))))
    assert wrong(batch.id) == [(2, "category", "category_unknown"), (3, "title", "contact_missing"), (4, "credit_limit", "money"), (4, "contract_until", "contract_days")]


def lines_of(device_id: int) -> list[tuple[str, Any, Any]]:
    with db.begin(scope.ALL) as session:
        rows = session.scalars(select(DeviceEvent).where(DeviceEvent.device_id == device_id).order_by(DeviceEvent.id))
        return [(row.kind, row.old, row.new) for row in rows]


def test_a_table_moves_a_device_and_its_history_says_so(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        party = make.party(session, committed_cast.suzhou, name="恒通")
        contact = make.contact(session, party, "李伟")
        product = make.product(session, name="条码打印机", model="ZT411")
    first = load(check(bring("devices", book(DEVICE, ("恒通", "条码打印机", "ZT411", "SN-01", "1 楼", "仓储部", "陈静", "", "2027-02-28")))).id)
    second = check(bring("devices", book(DEVICE, ("恒通", "条码打印机", "ZT411", "sn01", "2 楼", "仓储部", "李伟", "故障", "2028-02-28"))))
    assert (first.created, second.differing, load(second.id, "update").updated) == (1, 1, 1)
    with db.begin(scope.ALL) as session:
        device = session.scalars(select(Device)).one()
        assert (device.version, device.contact_id, device.product_id, device.branch_id, device.state) == (2, contact.id, product.id, committed_cast.suzhou.id, "abnormal")
        held = session.scalars(select(DeviceHolding).order_by(DeviceHolding.id)).all()
        assert [(one.place, one.holder, one.ended_at is None) for one in held] == [("1 楼", "陈静", False), ("2 楼", "李伟", True)]
    assert lines_of(device.id) == [
        ("imported", None, "恒通 · 仓储部 · 陈静 · 1 楼"), ("moved", "恒通 · 仓储部 · 陈静 · 1 楼", "恒通 · 仓储部 · 李伟 · 2 楼"), ("state", "normal", "abnormal"),
        ("imported", "SN-01 · 2027-02-28", "sn01 · 2028-02-28"),
    ]
    assert undo(second.id).state == "undone" and count(DeviceHolding) == 3
    refused = undo(first.id)
    assert refused.state == "loaded" and (refused.trouble or {})["facts"]["device_event"] == 1  # its history goes on


def test_devices_that_nothing_has_happened_to_are_taken_back_with_their_lines(bring: Callable[..., int], committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        make.party(session, committed_cast.pudong, name="恒通")
        make.device(session, make.party(session, committed_cast.pudong, name="别家"), model="ZT411", serial="SN-2")
    batch = check(bring("devices", book(DEVICE[:4], ("恒通", "打印机", "ZT411", "SN-1"), ("恒通", "打印机", "ZT411", "SN 2"), ("恒通", "打印机", "", ""))))
    assert wrong(batch.id) == [(3, "serial", "device_elsewhere"), (4, "serial", "serial_missing")]
    batch = load(batch.id)
    assert (batch.created, count(DeviceEvent), count(DeviceHolding)) == (1, 1, 1)
    assert undo(batch.id).state == "undone"
    with db.begin(scope.ALL) as session:
        assert session.scalar(select(func.count()).select_from(Device)) == 1
    assert (count(DeviceEvent), count(DeviceHolding)) == (0, 0)


def test_a_device_is_not_put_at_another_customers_site(committed_cast: SimpleNamespace, bring: Callable[..., int]) -> None:
    with db.begin(scope.ALL) as session:
        branch = session.get_one(Branch, committed_cast.pudong.id)
        own, other = make.party(session, branch, "自家"), make.party(session, branch, "别家")
        numbers = [make.site(session, branch, party_id=party_id).number for party_id in (own.id, other.id, None)]
    rows = [("自家", "水表", f"W-{number}", number) for number in numbers]
    batch = check(bring("devices", book(("客户", "设备名称", "序列号", "安装点编号"), *rows)))
    assert wrong(batch.id) == [(3, "site", "site_elsewhere")] and batch.fresh == 2
