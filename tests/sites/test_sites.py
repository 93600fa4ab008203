"""Regions, projects, sites and devices: what a level holds, when a site is in order, and what is refused."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import DateTime, literal, select, text
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from service.core import phone, scope, search
from service.core.editing import Stale
from service.core.errors import Invalid
from service.core.model import AuditEntry
from service.devices import actions as devices
from service.devices.model import Device, DeviceEvent
from service.devices.places import queries as found
from service.devices.schemas import ComponentFacts, Fate, Holder, Retirement, Work
from service.parties import queries as parties
from service.sites import actions, condition, index, queries, rules
from service.sites.model import Site
from service.sites.queries import Filters
from service.sites.regions import actions as regions
from service.sites.schemas import ProjectForm, RegionForm, SiteForm
from service.tickets import actions as tickets
from service.tickets.model import Ticket
from tests import make
from tests.conftest import AT


@pytest.fixture(autouse=True)
def wired() -> None:
    from service.tickets import queries

    condition.facts("tickets", queries.device_facts)


@pytest.fixture
def place(session: Session, cast: SimpleNamespace) -> SimpleNamespace:
    """East China with Shanghai in it, a project there, a site of it, a device at the site and one that waits."""
    east = make.region(session, "华东")
    shanghai = make.region(session, "上海", east)
    customer = make.party(session, cast.pudong)
    project = make.project(session, cast.pudong, region_id=shanghai.id, party_id=customer.id, name="园区改造")
    site = make.site(session, cast.pudong, project_id=project.id, party_id=customer.id, name="一号楼机房")
    device = make.device(session, customer, site_id=site.id, project_id=project.id)
    make.device(session, customer, project_id=project.id)
    return SimpleNamespace(east=east, shanghai=shanghai, customer=customer, project=project, site=site, device=device)


def state(session: Session, site_id: int) -> str:
    return queries.site_tallies(session, [site_id])[site_id].condition


def listed(session: Session, **wanted: object) -> list[int]:
    return [row.id for row in queries.sites(session, Filters(**wanted))]  # type: ignore[arg-type]


def moved(session: Session, ticket: Ticket, cast: SimpleNamespace, *verbs: str) -> None:
    tickets.assign(session, ticket.id, cast.wang.id, by=cast.cleo.id, at=AT)
    for verb in verbs:
        getattr(tickets, verb)(session, ticket.id, by=cast.wang.id, at=AT + timedelta(hours=2), **({"result": "换了滚轴"} if verb == "finish" else {}))


def test_a_site_is_abnormal_from_the_first_open_fault_to_the_end_of_the_last(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    assert state(session, place.site.id) == "normal" and listed(session, condition="normal") == [place.site.id]

    ticket = make.ticket(session, place.customer, cast.ada, AT, device_id=place.device.id)
    assert state(session, place.site.id) == "abnormal"
    assert listed(session, condition="abnormal") == [place.site.id] and listed(session, condition="normal") == []

    moved(session, ticket, cast, "accept", "start", "finish")
    assert state(session, place.site.id) == "normal" and listed(session, condition="abnormal") == []
    assert queries.site_tallies(session, [place.site.id])[place.site.id].visited_at == AT + timedelta(hours=2)


def test_what_is_no_fault_leaves_a_site_in_order(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    make.ticket(session, place.customer, cast.ada, AT, device_id=place.device.id, type="consultation")
    make.ticket(session, place.customer, cast.ada, AT)  # about no device
    assert state(session, place.site.id) == "normal"


def test_the_latest_patrol_counts_as_much_as_a_fault(session: Session, place: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"faults": 1}
    monkeypatch.setattr(condition, "_patrols", {})
    condition.patrols("test", lambda: select(
        literal(place.site.id).label("site_id"), literal(found["faults"]).label("faults"), as_type(AT, DateTime(timezone=True)).label("visited_at")))

    tally = queries.site_tallies(session, [place.site.id])[place.site.id]
    assert (tally.condition, tally.faults, tally.visited_at, tally.devices) == ("abnormal", 1, AT, 1)
    assert listed(session, condition="abnormal") == [place.site.id]

    found["faults"] = 0
    assert state(session, place.site.id) == "normal" and listed(session, condition="abnormal") == []


def test_each_level_holds_what_lies_under_it(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    make.ticket(session, place.customer, cast.ada, AT, device_id=place.device.id)
    make.ticket(session, place.customer, cast.ada, AT, device_id=place.device.id)
    nodes = rules.tree(queries.regions(session))
    held = queries.rolled(nodes, queries.region_tallies(session))

    assert [(node.region.name, node.depth) for node in nodes] == [("华东", 0), ("上海", 1)]
    for region in (place.east, place.shanghai):
        assert (held[region.id].devices, held[region.id].faults, held[region.id].sites) == (2, 2, 1)
    project = queries.project_tallies(session, [place.project.id])[place.project.id]
    site = queries.site_tallies(session, [place.site.id])[place.site.id]
    assert (project.devices, project.faults, project.sites) == (2, 2, 1)
    assert (site.devices, site.faults) == (1, 2)
    assert queries.device_tallies(session, [place.device.id])[place.device.id].faults == 2
    assert listed(session, regions=nodes[0].below) == [place.site.id] and listed(session, nowhere=True) == []


def test_from_a_device_one_gets_up_to_its_region(session: Session, place: SimpleNamespace) -> None:
    way = queries.way_to_device(session, place.device)

    assert [region.name for region in way.regions] == ["华东", "上海"]
    assert way.project is place.project and way.site is place.site


def test_a_site_takes_from_its_project_what_it_does_not_say(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    form = SiteForm(name="二号楼", project_id=place.project.id, contact="李工", phone="13911112222", latitude="31.2304", longitude="121.4737")
    site = session.get_one(Site, actions.create_site(session, form, by=cast.ada.id, branch_id=cast.hq.id, at=AT))

    assert (site.party_id, site.region_id, site.branch_id) == (place.customer.id, place.shanghai.id, cast.pudong.id)
    assert (site.latitude, site.longitude) == (Decimal("31.230400"), Decimal("121.473700"))
    assert site.number.startswith("S")
    match = parties.match_phones(session, [(phone.parse("13911112222"), scope.ALL)])[0]
    assert [(one.party_id, one.contact_name) for one in match] == [(place.customer.id, "李工")]


@pytest.mark.parametrize(("change", "field", "sentence"), [
    ({"name": ""}, "name", "Give the site a name"), ({"name": "x" * 201}, "name", "at most 200"),
    ({"latitude": "90.1", "longitude": "0"}, "latitude", "between −90 and 90"), ({"latitude": "1", "longitude": "-180.5"}, "longitude", "between −180"),
    ({"latitude": "north"}, "latitude", "between −90"), ({"latitude": "nan", "longitude": "1"}, "latitude", "between −90"),
    ({"latitude": "31.2"}, "longitude", "Type both or none"), ({"phone": "call me"}, "phone", "Type a phone number"),
    ({"region_id": 999999}, "region_id", "region is gone"), ({"party_id": 999999}, "party_id", "not in your branches"),
    ({"project_id": 999999}, "project_id", "not in your branches"), ({"address": "x" * 301}, "address", "at most 300"),
])
def test_each_wrong_field_has_its_sentence(change: dict[str, object], field: str, sentence: str, session: Session, cast: SimpleNamespace) -> None:
    with pytest.raises(Invalid) as refused:
        actions.create_site(session, SiteForm(**{"name": "机房"} | change), by=cast.ada.id, branch_id=cast.hq.id, at=AT)  # type: ignore[arg-type]
    assert sentence in str(refused.value.fields[field])


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "机房 🚧", "مركز البيانات", "x" * 200, "<script>alert(1)</script>"])
def test_odd_names_are_kept_and_found_as_they_were_typed(name: str, session: Session, cast: SimpleNamespace) -> None:
    site = actions.create_site(session, SiteForm(name=name), by=cast.ada.id, branch_id=cast.hq.id, at=AT)
    assert session.get_one(Site, site).name == name


def test_a_change_is_on_record_and_a_stale_one_is_refused(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    form = SiteForm(name="一号楼", version=place.site.version, project_id=place.project.id, party_id=place.customer.id)
    actions.change_site(session, place.site.id, form, by=cast.ada.id, at=AT)

    entry = session.scalars(select(AuditEntry).where(AuditEntry.entity == "site", AuditEntry.verb == "changed")).one()
    assert (entry.old, entry.new) == ({"name": "一号楼机房"}, {"name": "一号楼"})
    with pytest.raises(Stale):
        actions.change_site(session, place.site.id, form, by=cast.ben.id, at=AT)


def test_devices_follow_their_site_into_another_project(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    other = make.project(session, cast.pudong, party_id=place.customer.id)
    form = SiteForm(name="一号楼", version=place.site.version, project_id=other.id, party_id=place.customer.id)
    actions.change_site(session, place.site.id, form, by=cast.ada.id, at=AT)

    session.refresh(place.device)
    assert place.device.project_id == other.id


def test_a_device_is_put_at_a_site_by_number_serial_or_label(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    for said in ("number", "serial", "code"):
        device = make.device(session, place.customer)
        actions.put_device(session, place.site.id, getattr(device, said), by=cast.wang.id, at=AT)
        assert (device.site_id, device.project_id) == (place.site.id, place.project.id)
    actions.take_device(session, place.site.id, device.id, by=cast.wang.id, at=AT)
    assert (device.site_id, device.project_id) == (None, place.project.id)
    told = session.scalars(select(AuditEntry).where(AuditEntry.entity == "device", AuditEntry.entity_id == device.id).order_by(AuditEntry.id)).all()
    assert [(one.old or {}).get("site_id") for one in told] == [None, place.site.id]


def test_a_device_of_another_customer_or_of_no_single_serial_is_not_put(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    stranger = make.device(session, make.party(session, cast.pudong, "别家"), serial="SAME")
    make.device(session, place.customer, serial="SAME")
    for typed, sentence in ((stranger.number, "another customer"), ("SAME", "Several devices"), ("nothing", "No device")):
        with pytest.raises(Invalid, match=sentence):
            actions.put_device(session, place.site.id, typed, by=cast.wang.id, at=AT)


def test_a_project_has_its_number_and_an_amount_that_only_some_may_change(session: Session, cast: SimpleNamespace) -> None:
    new = ProjectForm(name="园区", amount="12,800.5")
    project = queries.project(session, actions.create_project(session, new, by=cast.ada.id, branch_id=cast.hq.id, at=AT))
    assert project is not None and project.number.startswith("P2026") and project.amount == Decimal("12800.50")

    unseen = ProjectForm(name="园区二期", amount=None, number=project.number, version=project.version)
    actions.change_project(session, project.id, unseen, by=cast.ada.id, at=AT)
    assert (project.name, project.amount) == ("园区二期", Decimal("12800.50"))
    for wrong, field in ((ProjectForm(name="x", number=project.number), "number"), (ProjectForm(name="x", amount="-1"), "amount"), (ProjectForm(name="x", amount="1e99"), "amount")):
        with pytest.raises(Invalid) as refused:
            actions.create_project(session, wrong, by=cast.ada.id, branch_id=cast.hq.id, at=AT)
        assert field in refused.value.fields


def test_regions_make_no_ring_and_none_goes_that_holds_something(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    with pytest.raises(Invalid, match="cannot lie in itself"):
        regions.change(session, place.east.id, RegionForm("华东", "", place.shanghai.id, place.east.version), by=cast.root.id, at=AT)
    with pytest.raises(regions.InUse):
        regions.remove(session, place.shanghai.id, by=cast.root.id, at=AT)
    with pytest.raises(Invalid, match="of this name"):
        regions.add(session, RegionForm("上海", "", place.east.id), by=cast.root.id, at=AT)
    empty = regions.add(session, RegionForm("江苏", "Jiangsu", place.east.id), by=cast.root.id, at=AT)
    regions.remove(session, empty, by=cast.root.id, at=AT)
    assert empty not in {region.id for region in queries.regions(session)}


def test_sites_and_projects_are_found_by_letters_and_phone(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    site = make.site(session, cast.pudong, name="张江数据中心", address="碧波路 690 号", contact="赵敏", phone="13900007777")
    for typed in ("zjsj", "张江", "碧波路", "13900007777", site.number):
        assert [(hit.kind, hit.ref_id) for hit in search.find(session, typed, kinds=["site"])] == [("site", site.id)], typed
    assert [hit.ref_id for hit in search.find(session, "yqgz", kinds=["project"])] == [place.project.id]
    assert index.rebuild_sites(session, 0, 500) == site.id and index.rebuild_sites(session, site.id, 500) is None


def test_each_device_has_a_code_of_its_own_that_nobody_guesses(session: Session, place: SimpleNamespace) -> None:
    codes = {session.get_one(Device, make.device(session, place.customer).id).code for _number in range(50)}
    assert len(codes) == 50 and all(len(code) == 16 and set(code) <= set("0123456789abcdef") for code in codes)


# ---- what leaves its place


def test_a_swap_puts_the_new_device_at_the_site_of_the_old_one(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    old = place.device
    work = Work(AT.date(), "王师傅")
    devices.swap_for_serial(session, old.id, "NEW-1", work, Fate("repair"), version=old.version, by=cast.ada.id, at=AT)
    new = session.scalars(select(Device).where(Device.serial == "NEW-1")).one()
    assert (old.site_id, old.project_id, new.site_id, new.project_id) == (None, None, place.site.id, place.project.id)
    assert [device.id for device in queries.devices_at(session, place.site.id)] == [new.id]


def test_what_is_removed_retired_or_another_customers_stands_at_no_site(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    who = {"by": cast.ada.id, "at": AT}
    removed, retired, sold = (make.device(session, place.customer, site_id=place.site.id, project_id=place.project.id) for _number in range(3))
    devices.remove(session, removed.id, Work(AT.date()), Fate(), version=removed.version, **who)
    devices.retire(session, retired.id, Retirement("锈蚀", AT.date()), version=retired.version, **who)
    devices.move(session, sold.id, Holder(make.party(session, cast.pudong).id), "转让", version=sold.version, **who)
    assert [(one.site_id, one.project_id) for one in (removed, retired, sold)] == [(None, None)] * 3
    assert (queries.site_tallies(session, [place.site.id])[place.site.id].devices, queries.project_tallies(session, [place.project.id])[place.project.id].devices) == (1, 2)
    with pytest.raises(devices.AlreadyRetired):
        actions.put_device(session, place.site.id, retired.number, **who)


def test_the_history_of_a_device_names_the_sites_it_stood_at(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    other = actions.create_site(session, SiteForm(name="二号楼", party_id=place.customer.id), by=cast.ada.id, branch_id=cast.hq.id, at=AT)
    actions.put_device(session, other, place.device.number, by=cast.ada.id, at=AT)
    actions.take_device(session, other, place.device.id, by=cast.ada.id, at=AT)
    told = session.execute(select(DeviceEvent.kind, DeviceEvent.old, DeviceEvent.new).where(DeviceEvent.device_id == place.device.id).order_by(DeviceEvent.id)).all()
    assert [tuple(row) for row in told] == [("placed", "一号楼机房", "二号楼"), ("placed", "二号楼", None)]


def test_a_scan_knows_a_serial_in_any_spelling_and_that_of_a_part(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    part = devices.fit(session, place.device.id, ComponentFacts("打印头", "PH-77 1"), by=cast.ada.id, at=AT)
    for typed in (f" {place.device.serial.lower()} ", "ph771", place.device.number.lower()):
        assert [row.id for row in found.scanned(session, typed)] == [place.device.id], typed
    devices.take_out(session, part, "", by=cast.ada.id, at=AT)
    other = make.device(session, place.customer)
    devices.fit(session, other.id, ComponentFacts("打印头", "PH-771"), by=cast.ada.id, at=AT)
    assert [row.id for row in found.scanned(session, "PH-77-1")] == [other.id]


def test_the_same_form_twice_is_one_site_and_one_project(session: Session, cast: SimpleNamespace) -> None:
    who = {"by": cast.ada.id, "branch_id": cast.hq.id}
    for make_one, form in ((actions.create_site, SiteForm(name="门卫室", request_key="k")), (actions.create_project, ProjectForm(name="园区", request_key="k"))):
        one, again = (make_one(session, form, at=at, **who) for at in (AT, AT + timedelta(hours=1)))  # type: ignore[arg-type]
        other = make_one(session, replace(form, request_key="l"), at=AT, **who)  # type: ignore[arg-type, type-var]
        assert one == again != other


def test_a_device_is_put_into_a_project_before_it_stands_anywhere(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    who, other = {"by": cast.ada.id, "at": AT}, make.project(session, cast.pudong, name="二期")
    fresh, strange = make.device(session, place.customer), make.device(session, make.party(session, cast.pudong))
    for project_id in (place.project.id, other.id):
        actions.deliver(session, project_id, fresh.number, **who)
        assert fresh.project_id == project_id
    for project_id, device in ((other.id, place.device), (place.project.id, strange)):
        with pytest.raises(Invalid, match=r"stands at a site|another customer"):
            actions.deliver(session, project_id, device.number, **who)
    actions.withdraw(session, other.id, fresh.id, **who)
    told = session.execute(select(DeviceEvent.kind, DeviceEvent.old, DeviceEvent.new).where(DeviceEvent.device_id == fresh.id).order_by(DeviceEvent.id)).all()
    assert [tuple(row) for row in told] == [("delivered", None, "园区改造"), ("delivered", "园区改造", "二期"), ("delivered", "二期", None)]


def test_who_read_a_place_before_another_saved_it_is_told_so(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    for table, row in (("site", place.site), ("project", place.project), ("device", place.device)):
        session.execute(text(f"update {table} set version = version + 1, name = 'b' where id = :id"), {"id": row.id})
    with pytest.raises(Stale):
        actions.change_site(session, place.site.id, SiteForm(name="c", version=1), by=cast.ada.id, at=AT)
    with pytest.raises(Stale):
        actions.change_project(session, place.project.id, ProjectForm(name="c", version=1), by=cast.ada.id, at=AT)
    actions.take_device(session, place.site.id, place.device.id, by=cast.ada.id, at=AT)
    assert place.device.site_id is None


def test_a_place_is_not_given_to_a_customer_of_another_branch(session: Session, cast: SimpleNamespace, place: SimpleNamespace) -> None:
    other, near = make.party(session, cast.suzhou, "苏州客户"), make.party(session, cast.pudong, "邻居")
    with pytest.raises(Invalid) as no:
        actions.change_site(session, place.site.id, SiteForm(name="c", party_id=other.id, version=place.site.version), by=cast.ada.id, at=AT)
    assert "party_id" in no.value.fields
    with pytest.raises(Invalid):
        actions.change_project(session, place.project.id, ProjectForm(name="c", party_id=other.id, version=place.project.version), by=cast.ada.id, at=AT)
    actions.change_site(session, place.site.id, SiteForm(name="c", party_id=near.id, version=place.site.version), by=cast.ada.id, at=AT)
    assert (place.site.party_id, place.site.branch_id) == (near.id, near.branch_id)
