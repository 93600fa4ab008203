"""The archive: devices on file, their holders, parts, swaps and retirement, and the one line of time that tells it all."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from service.core import search
from service.core.editing import Stale
from service.core.errors import DeskError, Invalid, NotFound
from service.core.lists import ListSpec
from service.core.model import AuditEntry
from service.desk import history
from service.devices import actions, queries
from service.devices.lists import DEVICES, RETIRED
from service.devices.model import Device, DeviceComponent, DeviceEvent, DeviceHolding, DeviceSwap
from service.devices.schemas import ComponentFacts, DeviceFacts, Fate, Holder, NewDevice, Retirement, Work
from tests import make
from tests.conftest import AT

ON = AT.date()
WORK = Work(ON, "王师傅", "定期换表", Decimal("120.5"), Decimal(0))


@pytest.fixture
def firm(session: Session, cast: SimpleNamespace) -> SimpleNamespace:
    party = make.party(session, cast.pudong)
    meter = make.device(session, party, name="水表", model="LXS-15", serial="SB-001", place="三号楼", installed_on=date(2020, 1, 1))
    return SimpleNamespace(**vars(cast), party=party, meter=meter, who={"by": cast.ada.id, "at": AT})


def created(session: Session, firm: SimpleNamespace, serial: str = "SN 9-001", **more: Any) -> Device:
    facts = DeviceFacts(**{"name": "打印机", "model": "ZT411", "serial": serial} | more)
    return session.get_one(Device, actions.create(session, NewDevice(facts, Holder(firm.party.id, "财务部", "王丽华", "二楼")), **firm.who))


def kinds(session: Session, device_id: int) -> list[str]:
    return list(session.scalars(select(DeviceEvent.kind).where(DeviceEvent.device_id == device_id).order_by(DeviceEvent.id)))


def version(session: Session, device_id: int) -> int:
    return session.get_one(Device, device_id, populate_existing=True).version


def now(session: Session, device_id: int) -> Device:
    return session.get_one(Device, device_id, populate_existing=True)


def listed(session: Session, spec: ListSpec, **wanted: Any) -> list[int]:
    return [row.id for row in session.scalars(spec.rows(session, wanted))]


# ---- on file


def test_a_new_device_has_a_number_a_holder_a_line_and_an_audit_row(session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm)

    assert device.number.startswith("DEV20261123") and (device.department, device.holder) == ("财务部", "王丽华")
    assert kinds(session, device.id) == ["created"]
    assert [(h.holder, h.ended_at) for h in queries.holdings(session, device.id)] == [("王丽华", None)]
    assert session.scalar(select(AuditEntry.verb).where(AuditEntry.entity == "device", AuditEntry.entity_id == device.id)) == "created"
    assert [(one.department, one.holder, one.count) for one in queries.held(session, firm.party.id)] == [("", "", 1), ("财务部", "王丽华", 1)]


def test_the_product_gives_name_and_model_and_may_demand_a_serial(session: Session, firm: SimpleNamespace) -> None:
    product = make.product(session, name="条码打印机", model="GK420")
    assert (created(session, firm, name="", model="", product_id=product.id).name) == "条码打印机"
    with pytest.raises(Invalid, match="kept by serial"):
        created(session, firm, "", product_id=product.id)


def test_the_same_form_twice_is_one_device(session: Session, firm: SimpleNamespace) -> None:
    new = NewDevice(DeviceFacts("无号设备"), Holder(firm.party.id), "key-1")
    assert actions.create(session, new, **firm.who) == actions.create(session, new, **firm.who)


@pytest.mark.parametrize(("facts", "field"), [
    ({"name": ""}, "name"), ({"name": "x" * 121}, "name"), ({"serial": "9" * 81}, "serial"), ({"state": "retired"}, "state"),
    ({"serial": "ｓｎ９００１"}, "serial"), ({"product_id": 99999999}, "product_id"),
    ({"warranty_from": ON, "warranty_until": ON - timedelta(days=1)}, "warranty_until"),
])  # fmt: skip
def test_each_wrong_field_has_its_sentence(facts: dict[str, Any], field: str, session: Session, firm: SimpleNamespace) -> None:
    created(session, firm)
    with pytest.raises(Invalid) as caught:
        created(session, firm, **{"serial": "other"} | facts)
    assert field in caught.value.fields


@pytest.mark.parametrize("name", ["x" * 120, "打印机🖨️", "=cmd|' /C calc'!A0", "طابعة", "<b>x</b>"])
def test_odd_names_are_taken_as_they_are(name: str, session: Session, firm: SimpleNamespace) -> None:
    assert created(session, firm, name=name).name == name


def test_makers_of_different_things_may_use_one_serial(session: Session, firm: SimpleNamespace) -> None:
    created(session, firm)
    created(session, firm, name="交换机", model="S5130")
    assert len(queries.located(session, "SN9001")) == 2


# ---- located


@pytest.mark.parametrize("typed", ["SN 9-001", "sn9001", "ＳＮ９００１", " sn–9 001 ", "SN.9/001"])
def test_a_serial_is_found_in_any_spelling(typed: str, session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm)
    assert [one.device.id for one in queries.located(session, typed)] == [device.id]


def test_a_component_leads_to_its_device_and_the_index_knows_it(session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm)
    actions.fit(session, device.id, ComponentFacts("打印头", "PH-7788"), **firm.who)

    assert [(one.device.id, one.component and one.component.name) for one in queries.located(session, "ph7788")] == [(device.id, "打印头")]
    assert [hit.ref_id for hit in search.find(session, "ph-7788", kinds=["device"])] == [device.id]
    assert queries.located(session, "") == queries.located(session, "-- --") == queries.located(session, "nothing") == []


def test_the_product_is_found_too(session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm, name="前台那台", model="x", product_id=make.product(session, name="针式打印机", model="LQ630").id)
    assert [hit.ref_id for hit in search.find(session, "针式打印", kinds=["device"])] == [device.id]


# ---- changed and moved


def test_an_older_form_is_refused(session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm)
    facts = DeviceFacts("打印机", "ZT411", "SN 9-001", state="abnormal")
    actions.change(session, device.id, facts, version=1, **firm.who)
    with pytest.raises(Stale, match="saved this meanwhile"):
        actions.change(session, device.id, replace(facts, model="ZT421"), version=1, **firm.who)
    assert (now(session, device.id).model, kinds(session, device.id)) == ("ZT411", ["created", "state"])


def test_a_move_closes_the_old_holding_and_opens_the_new_one(session: Session, firm: SimpleNamespace) -> None:
    device, other = created(session, firm), make.party(session, firm.suzhou, "苏州客户")
    actions.fit(session, device.id, ComponentFacts("打印头"), **firm.who)
    later = AT + timedelta(hours=1)
    actions.move(session, device.id, Holder(other.id, "仓库", "李雷", "一楼"), "转让", version=device.version, by=firm.ada.id, at=later)

    assert [(h.party_id, h.holder, h.ended_at) for h in queries.holdings(session, device.id)] == [(other.id, "李雷", None), (firm.party.id, "王丽华", later)]
    moved = now(session, device.id)
    assert (moved.party_id, moved.branch_id) == (other.id, firm.suzhou.id)
    assert session.scalar(select(DeviceComponent.branch_id).where(DeviceComponent.device_id == device.id)) == firm.suzhou.id
    line = queries.events(session, device.id, until=None, limit=1)[0]
    assert (line.kind, line.note) == ("moved", "转让") and "王丽华" in (line.old or "") and "李雷" in (line.new or "")


def test_a_move_to_where_it_is_or_to_nobody_is_refused(session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm)
    here = Holder(firm.party.id, "财务部", "王丽华", "二楼")
    for wrong in (here, replace(here, party_id=99999999), replace(here, contact_id=99999999), replace(here, place="x" * 201)):
        with pytest.raises(Invalid):
            actions.move(session, device.id, wrong, "", version=device.version, **firm.who)


# ---- components


def test_replacing_a_component_closes_the_old_one_and_opens_the_new_one(session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm)
    old = actions.fit(session, device.id, ComponentFacts("打印头", "PH-1", warranty_until=ON), **firm.who)
    ticket = make.ticket(session, firm.party, firm.ada, AT, device_id=device.id)
    new = actions.replace(session, old, ComponentFacts(serial="PH-2", warranty_until=date(2028, 1, 1)), "磨损", ticket_id=ticket.id, request_key="k", **firm.who)
    again = actions.replace(session, old, ComponentFacts(serial="PH-2"), "磨损", request_key="k", **firm.who)

    assert again == new
    assert [part.serial for part, _p, _d in queries.covered(session, [device], ON)[device.id].parts] == ["PH-2"]
    assert [(part.id, part.removed_at) for part in queries.taken_out(session, device.id)] == [(old, AT)]
    line = queries.events(session, device.id, until=None, limit=1)[0]
    assert (line.kind, line.old, line.new, line.note, line.ticket_id) == ("replaced", "打印头 · SN PH-1", "打印头 · SN PH-2", "磨损", ticket.id)
    with pytest.raises(DeskError, match="taken out already"):
        actions.take_out(session, old, "", **firm.who)


# ---- swaps


def test_a_swap_puts_the_new_one_where_the_old_one_stood_and_both_histories_show_it(session: Session, firm: SimpleNamespace) -> None:
    ticket = make.ticket(session, firm.party, firm.ada, AT, device_id=firm.meter.id)
    work = replace(WORK, ticket_id=ticket.id, request_key="once")
    fate = Fate("retired", Retirement("到期", ON, "废品站"))
    swap_id = actions.swap_for_serial(session, firm.meter.id, "SB-002", work, fate, version=firm.meter.version, **firm.who)
    again = actions.swap_for_serial(session, firm.meter.id, "SB-002", work, fate, version=firm.meter.version, **firm.who)

    assert again == swap_id and session.scalar(select(func.count()).select_from(DeviceSwap)) == 1
    swap = session.get_one(DeviceSwap, swap_id)
    old, new = now(session, firm.meter.id), now(session, swap.new_device_id or 0)
    assert (swap.original_reading, swap.current_reading, swap.done_on, swap.person, swap.remarks) == (Decimal("120.5"), 0, ON, "王师傅", "定期换表")
    assert (old.state, old.place, old.installed_on, old.retired_to) == ("retired", "", None, "废品站")
    assert (new.name, new.model, new.place, new.installed_on, new.party_id) == ("水表", "LXS-15", "三号楼", ON, firm.party.id)
    assert (kinds(session, old.id), kinds(session, new.id)) == (["swapped out", "retired"], ["created", "swapped in"])
    assert [one.id for one in queries.swaps_of_ticket(session, ticket.id)] == [swap_id]


def test_a_swap_is_all_or_nothing(session: Session, firm: SimpleNamespace) -> None:
    with pytest.raises(Invalid), session.begin_nested():
        actions.swap_for_serial(session, firm.meter.id, "SB-002", WORK, Fate("retired", Retirement(" ", ON)), version=firm.meter.version, **firm.who)
    assert (now(session, firm.meter.id).place, kinds(session, firm.meter.id)) == ("三号楼", [])
    assert queries.located(session, "SB-002") == []


def test_what_stands_elsewhere_or_is_retired_is_not_put_in(session: Session, firm: SimpleNamespace) -> None:
    other = make.device(session, firm.party, name="水表", model="LXS-15", serial="SB-003", place="四号楼")
    with pytest.raises(actions.Standing, match="四号楼"):
        actions.swap_for_serial(session, firm.meter.id, "sb003", WORK, Fate(), version=firm.meter.version, **firm.who)
    actions.retire(session, other.id, Retirement("坏", ON), version=other.version, **firm.who)
    with pytest.raises(actions.AlreadyRetired):
        actions.swap(session, firm.meter.id, other.id, WORK, Fate(), version=firm.meter.version, **firm.who)
    for serial in ("sb 001", "--", ""):
        with pytest.raises(Invalid):
            actions.swap_for_serial(session, firm.meter.id, serial, WORK, Fate(), version=firm.meter.version, **firm.who)
    with pytest.raises(Invalid):
        actions.swap(session, firm.meter.id, firm.meter.id, WORK, Fate(), version=firm.meter.version, **firm.who)


def test_another_customers_thing_of_another_kind_is_not_taken_by_its_serial(session: Session, firm: SimpleNamespace) -> None:
    theirs = make.device(session, make.party(session, firm.pudong, "另一家"), name="打印机", model="X", serial="ZZ-9")
    with pytest.raises(Invalid, match="another customer"):
        actions.swap_for_serial(session, firm.meter.id, "ZZ-9", WORK, Fate(), version=firm.meter.version, **firm.who)
    assert now(session, theirs.id).party_id != firm.party.id
    ours = make.device(session, firm.party, name="电表", model="Y", serial="ZZ-8")
    actions.swap_for_serial(session, firm.meter.id, "ZZ-8", WORK, Fate(), version=firm.meter.version, **firm.who)
    assert now(session, ours.id).place == "三号楼"


def test_removed_and_put_in_again(session: Session, firm: SimpleNamespace) -> None:
    actions.remove(session, firm.meter.id, WORK, Fate("repair"), version=firm.meter.version, **firm.who)
    free = now(session, firm.meter.id)
    assert (free.place, free.state) == ("", "repair")
    with pytest.raises(actions.Standing):
        actions.remove(session, free.id, WORK, Fate(), version=free.version, **firm.who)
    with pytest.raises(Invalid, match="where it is put in"):
        actions.install(session, free.id, Holder(firm.party.id), WORK, version=free.version, **firm.who)
    actions.install(session, free.id, Holder(firm.party.id, place="五号楼"), WORK, version=free.version, **firm.who)
    assert (now(session, free.id).place, now(session, free.id).state) == ("五号楼", "normal")
    assert kinds(session, free.id) == ["removed", "installed"]


def test_postgresql_itself_refuses_half_a_swap(session: Session, firm: SimpleNamespace) -> None:
    with pytest.raises(Exception, match="devices_fit_the_kind"), session.begin_nested():
        session.execute(text("insert into device_swap (kind, old_device_id, party_id, done_on, at, by_id, branch_id) values ('swap', :d, :p, now(), now(), :s, :b)"),
                        {"d": firm.meter.id, "p": firm.party.id, "s": firm.ada.id, "b": firm.pudong.id})


# ---- retired


def test_a_retired_device_leaves_the_lists_and_stays_in_its_history(session: Session, firm: SimpleNamespace) -> None:
    actions.retire(session, firm.meter.id, Retirement("锈蚀", ON, "废品站"), version=firm.meter.version, **firm.who)
    assert queries.devices_of(session, firm.party.id) == listed(session, DEVICES) == queries.held(session, firm.party.id) == []
    assert listed(session, RETIRED) == [firm.meter.id]
    with pytest.raises(actions.AlreadyRetired):
        actions.retire(session, firm.meter.id, Retirement("x", ON), version=version(session, firm.meter.id), **firm.who)
    with pytest.raises(Invalid, match="why it comes back"):
        actions.bring_back(session, firm.meter.id, " ", version=version(session, firm.meter.id), **firm.who)
    actions.bring_back(session, firm.meter.id, "找到备件", version=version(session, firm.meter.id), **firm.who)
    assert (now(session, firm.meter.id).state, kinds(session, firm.meter.id)) == ("normal", ["retired", "brought back"])
    assert [row.id for row in queries.devices_of(session, firm.party.id)] == [firm.meter.id]


# ---- one line of time


def eventful(session: Session, firm: SimpleNamespace, many: int) -> None:
    """Tickets with calls, and lines of the device itself, some of them in the same moment."""
    for n in range(many):
        at = AT + timedelta(hours=n // 2)
        call = make.call(session, at)
        ticket = make.ticket(session, firm.party, firm.ada, at, device_id=firm.meter.id, call=("pbx1", call.call_key))
        actions.fit(session, firm.meter.id, ComponentFacts(f"part {n}"), by=firm.ada.id, at=at, ticket_id=ticket.id)


def test_the_history_pages_through_everything_once_in_time_order(session: Session, firm: SimpleNamespace) -> None:
    eventful(session, firm, 10)
    lines, until = [], None
    while True:
        page = history.read(session, firm.meter.id, until=until, limit=4)
        lines += page.lines
        if page.more is None:
            break
        until = history.mark(history.place(page.more))

    assert len(lines) == 30 == len({(line.kind, line.id) for line in lines})
    assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)
    assert {line.kind for line in lines} == {"event", "ticket", "call"}


def test_the_history_takes_as_many_queries_for_many_lines_as_for_few(session: Session, firm: SimpleNamespace) -> None:
    from sqlalchemy import event

    def asked(limit: int) -> int:
        sent: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
            sent.append(statement)

        session.expire_all()
        event.listen(session.connection(), "before_cursor_execute", note)
        history.read(session, firm.meter.id, limit=limit)
        event.remove(session.connection(), "before_cursor_execute", note)
        return len(sent)

    eventful(session, firm, 12)
    assert asked(40) == asked(3) <= 8


def test_a_part_of_another_branch_is_not_there(session: Session, firm: SimpleNamespace) -> None:
    with pytest.raises(NotFound):
        actions.take_out(session, 99999999, "", **firm.who)
    with pytest.raises(NotFound):
        actions.retire(session, 99999999, Retirement("x", ON), version=1, **firm.who)


def test_there_is_one_present_holder(session: Session, firm: SimpleNamespace) -> None:
    device = created(session, firm)
    session.add(DeviceHolding(device_id=device.id, began_at=AT, party_id=firm.party.id, branch_id=firm.pudong.id))
    with pytest.raises(Exception, match="uq_device_holding_now"), session.begin_nested():
        session.flush()
    session.expunge_all()
