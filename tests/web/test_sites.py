"""Regions, projects, sites, labels and scans as browsers see them."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.model import Attachment
from service.devices.model import Device
from service.sites.model import Project, Region, Site
from tests import make
from tests.signin import people

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield create_app(replace(settings, data=tmp_path_factory.mktemp("sites"), hotline="400 820 1234"), database)


@pytest.fixture
def place(committed_cast: SimpleNamespace) -> SimpleNamespace:
    with db.begin(scope.ALL) as work:
        east = make.region(work, "华东")
        customer = make.party(work, committed_cast.pudong)
        project = make.project(work, committed_cast.pudong, region_id=east.id, party_id=customer.id, name="园区改造", amount="12800.00", products="打印机 3 台\n交换机 1 台")
        site = make.site(work, committed_cast.pudong, project_id=project.id, party_id=customer.id, name="一号楼机房", phone="13900007777")
        device = make.device(work, customer, site_id=site.id, project_id=project.id)
        other = make.site(work, committed_cast.suzhou, name="苏州站")
    return SimpleNamespace(**vars(committed_cast), east=east, customer=customer, project=project, site=site, device=device, other=other)


@pytest.fixture
def ada(app: Flask, settings: Settings, place: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, place.ada)


@pytest.fixture
def mei(app: Flask, settings: Settings, place: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, place.mei)


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/tickets")}, headers=PAGE)
    return answer.status_code, answer.headers.get("Location") or answer.text


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, path
    return answer.text


def kept(kind: type, id_: int) -> object:
    with db.begin(scope.ALL) as work:
        return work.get_one(kind, id_)


def test_one_gets_from_region_to_device_and_back(ada: FlaskClient, place: SimpleNamespace) -> None:
    assert f'href="/sites?region={place.east.id}"' in page(ada, "/sites")
    region = page(ada, f"/sites?region={place.east.id}")
    assert f'href="/sites/projects/{place.project.id}"' in region and f'href="/sites/{place.site.id}"' in region
    assert f'href="/sites/{place.site.id}"' in page(ada, f"/sites/projects/{place.project.id}")
    assert f'href="/d/{place.device.code}"' in page(ada, f"/sites/{place.site.id}")
    for up in (page(ada, f"/d/{place.device.code}"), page(ada, f"/sites/of-device/{place.device.id}")):
        for address in (f"/sites/{place.site.id}", f"/sites/projects/{place.project.id}", f"/sites?region={place.east.id}"):
            assert f'href="{address}"' in up


def test_the_list_is_narrowed_by_region_and_condition(mei: FlaskClient, place: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        make.ticket(work, place.customer, place.ada, clock.now(), device_id=place.device.id)
    for address, there, away in (
        ("/sites?condition=abnormal", "一号楼机房", "苏州站"), ("/sites?condition=normal", "苏州站", "一号楼机房"),
        (f"/sites?region={place.east.id}&condition=abnormal", "一号楼机房", "苏州站"), ("/sites?region=none", "苏州站", "一号楼机房"),
        (f"/sites?project={place.project.id}", "一号楼机房", "苏州站"), ("/sites?q=ylj", "", "苏州站"), ("/sites?condition=odd&region=x&after=1_", "苏州站", "@@"),
    ):  # fmt: skip
        table = re.sub(r"<nav.*?</nav>", "", page(mei, address), flags=re.S)
        assert there in table and away not in table, address


def test_a_site_of_another_branch_is_not_there(ada: FlaskClient, place: SimpleNamespace) -> None:
    assert "苏州站" not in page(ada, "/sites")
    for path in (f"/sites/{place.other.id}", f"/sites/{place.other.id}/edit"):
        assert ada.get(path, headers=PAGE).status_code == 404
    assert send(ada, f"/sites/{place.other.id}", name="x", version="1")[0] == 404
    assert send(ada, f"/sites/{place.other.id}/devices", device=place.device.number)[0] == 404


def test_a_site_is_entered_changed_and_a_stale_change_shows_both(ada: FlaskClient, place: SimpleNamespace) -> None:
    status, address = send(ada, "/sites", name=" 三号楼\u202e  泵房 ", project_id=place.project.id, latitude="31.2", longitude="121.5", phone="13911112222")
    assert status == 302
    site_id = int(address.rsplit("/", 1)[1])
    site = kept(Site, site_id)
    assert isinstance(site, Site) and (site.name, site.party_id) == ("三号楼 泵房", place.customer.id)

    assert send(ada, address, name="三号楼", version="1", phone="13911112222", party_id=place.customer.id)[0] == 302
    status, both = send(ada, address, name="三楼", version="1", phone="13911112222", note="别锁门", party_id=place.customer.id)
    assert status == 409 and "Saved by somebody else meanwhile" in both
    assert "三号楼</td>" in both and "三楼</td>" in both and "别锁门</td>" in both and 'name="version" value="2"' in both
    assert send(ada, address, name="三楼", version="2", phone="13911112222", party_id=place.customer.id)[0] == 302


def test_what_was_typed_stays_when_a_field_is_wrong(ada: FlaskClient, place: SimpleNamespace) -> None:
    status, again = send(ada, "/sites", name="泵房", latitude="95", longitude="1", note="后门", region_id=place.east.id)
    assert status == 422 and "between −90 and 90" in again and "后门" in again and 'value="泵房"' in again
    assert f'<option value="{place.east.id}" selected>' in again


def test_a_covered_phone_is_not_written_over_the_real_one(ada: FlaskClient, place: SimpleNamespace) -> None:
    form = page(ada, f"/sites/{place.site.id}/edit")
    shown = re.search(r'name="phone" value="([^"]*)"', form)
    assert shown
    send(ada, f"/sites/{place.site.id}", name="一号楼", version="1", phone=shown[1], party_id=place.customer.id, project_id=place.project.id)
    site = kept(Site, place.site.id)
    assert isinstance(site, Site) and (site.name, site.phone) == ("一号楼", "13900007777")


def test_an_amount_is_seen_and_changed_by_those_who_may(app: Flask, settings: Settings, mei: FlaskClient, place: SimpleNamespace) -> None:
    wang = people.browser(app, settings, place.wang)  # a technician; who answers the phone sees amounts
    address = f"/sites/projects/{place.project.id}"
    assert "12,800.00" in page(mei, address) and "12,800" not in page(wang, address)
    assert 'name="amount"' not in page(wang, f"{address}/edit")
    assert send(wang, address, name="园区", version="1", amount="1", number=place.project.number)[0] == 302
    project = kept(Project, place.project.id)
    assert isinstance(project, Project) and (project.name, str(project.amount)) == ("园区", "12800.00")
    assert send(mei, address, name="园区", version="2", amount="13,000", number=project.number)[0] == 302
    assert "13,000.00" in page(mei, address)
    assert "Another project" in send(mei, "/sites/projects", name="x", number=project.number)[1]


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "blue").save(out, "JPEG")
    return out.getvalue()


def test_a_picture_is_added_and_removed(ada: FlaskClient, place: SimpleNamespace) -> None:
    address = f"/sites/{place.site.id}/pictures"
    assert send(ada, address, picture=(io.BytesIO(picture()), "门口.jpg"))[0] == 302
    assert "门口.jpg" in page(ada, f"/sites/{place.site.id}")
    status, refused = send(ada, address, picture=(io.BytesIO(b"#!/bin/sh"), "x.jpg"))
    assert status == 422 and "This is no picture" in refused
    with db.begin(scope.ALL) as work:
        row = work.scalars(select(Attachment)).one()
    assert send(ada, f"{address}/{row.id}/drop")[0] == 302
    assert "No picture yet" in page(ada, f"/sites/{place.site.id}")


def test_a_position_is_taken_at_the_place(ada: FlaskClient, place: SimpleNamespace) -> None:
    assert send(ada, f"/sites/{place.site.id}/position", latitude="31.230416", longitude="121.473701")[0] == 302
    assert "31.230416, 121.473701" in page(ada, f"/sites/{place.site.id}")
    assert send(ada, f"/sites/{place.site.id}/position", latitude="", longitude="")[0] == 422


def test_only_the_pages_that_need_it_may_ask_for_position_or_camera(ada: FlaskClient, place: SimpleNamespace) -> None:
    for path, camera, position in (("/scan", True, False), (f"/sites/{place.site.id}", False, True), ("/sites/new", False, True), ("/sites", False, False), ("/tickets", False, False)):
        answer = ada.get(path, headers=PAGE)
        allowed, policy = answer.headers["Permissions-Policy"], answer.headers["Content-Security-Policy"]
        assert ("camera=(self)" in allowed, "geolocation=(self)" in allowed, "microphone=()" in allowed) == (camera, position, True), path
        assert ("wasm-unsafe-eval" in policy) == camera, path


def test_regions_are_kept_by_the_administrator(app: Flask, settings: Settings, place: SimpleNamespace) -> None:
    root = people.browser(app, settings, place.root)
    assert send(root, "/settings/regions", name="上海", name_en="Shanghai", parent_id=place.east.id)[0] == 302
    with db.begin(scope.ALL) as work:
        shanghai = work.scalars(select(Region).where(Region.name == "上海")).one()
    assert "Shanghai" in page(root, "/settings/regions")
    status, again = send(root, f"/settings/regions/{place.east.id}", name="东部", parent_id=shanghai.id, version="1")
    assert status == 422 and "cannot lie in itself" in again and 'value="东部"' in again
    assert send(root, f"/settings/regions/{place.east.id}", name="东部", version="9")[0] == 409
    assert send(root, f"/settings/regions/{place.east.id}/remove")[0] == 409
    assert send(root, f"/settings/regions/{shanghai.id}/remove")[0] == 302


# ---- labels and scans


def test_labels_are_printed_for_the_chosen_devices(ada: FlaskClient, place: SimpleNamespace) -> None:
    assert f'value="{place.device.id}"' in page(ada, f"/labels?site={place.site.id}") and 'value="400 820 1234"' in page(ada, "/labels")
    answer = ada.get(f"/labels.pdf?sheet=3x8&device={place.device.id}", headers=PAGE)
    assert (answer.status_code, answer.mimetype, answer.data[:5]) == (200, "application/pdf", b"%PDF-")
    for wrong in ("sheet=3x8", f"sheet=9x9&device={place.device.id}", "sheet=3x8&device=x"):
        assert ada.get(f"/labels.pdf?{wrong}", headers=PAGE).status_code == 422
    assert ada.get("/labels.pdf?sheet=3x8&device=999999", headers=PAGE).status_code == 404


@pytest.mark.parametrize("said", ["https://desk.example.com/d/{code}", "http://other/d/{code}?x=1", "{code}", "{number}", "{serial}", "  {serial}\r\n"])
def test_whatever_a_scanner_types_leads_to_the_device(said: str, ada: FlaskClient, place: SimpleNamespace) -> None:
    device = place.device
    answer = ada.get("/scan", query_string={"code": said.format(code=device.code, number=device.number, serial=device.serial)}, headers=PAGE)
    assert (answer.status_code, answer.location) == (302, f"/d/{device.code}")


def test_an_unknown_serial_can_become_a_device_and_a_strange_label_cannot(ada: FlaskClient, place: SimpleNamespace) -> None:
    assert 'href="/devices/new?serial=ZT%20411"' in page(ada, "/scan?code=ZT 411")
    label = page(ada, "/scan?code=https://desk.example.com/d/0000000000000000")
    assert "/devices/new" not in label and "another branch" in label
    assert "&lt;script&gt;" in page(ada, "/scan?code=<script>")


def test_a_serial_that_is_not_unique_offers_a_choice(ada: FlaskClient, place: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        one, two = (make.device(work, place.customer, serial="SAME") for _number in range(2))
    shown = page(ada, "/scan?code=SAME")
    assert one.code in shown and two.code in shown


def test_a_scanned_device_offers_what_the_person_may_do(ada: FlaskClient, app: Flask, settings: Settings, place: SimpleNamespace) -> None:
    shown = page(ada, f"/d/{place.device.code}")
    assert f'href="/tickets/new?party={place.customer.id}&amp;device={place.device.id}"' in shown and f'href="/sites/{place.site.id}"' in shown
    request = page(ada, f"/tickets/new?party={place.customer.id}&device={place.device.id}")
    assert re.search(rf'value="{place.device.id}"[^>]*(checked|selected)', request)
    assert "/tickets/new" not in page(people.browser(app, settings, place.fay), f"/d/{place.device.code}")


def test_a_device_without_a_site_is_put_at_the_one_that_is_entered_for_it(ada: FlaskClient, place: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        device = make.device(work, place.customer)
    assert f'href="/sites/new?device={device.id}"' in page(ada, f"/d/{device.code}")
    form = page(ada, f"/sites/new?device={device.id}")
    assert f'name="device" value="{device.id}"' in form and f'name="party_id" value="{place.customer.id}" checked' in form
    status, address = send(ada, "/sites", name="前台", device=device.id, party_id=place.customer.id)
    moved = kept(Device, device.id)
    assert status == 302 and isinstance(moved, Device) and address == f"/sites/{moved.site_id}"


def test_strangers_and_other_branches_learn_nothing_from_a_label(app: Flask, settings: Settings, place: SimpleNamespace) -> None:
    stranger = people.browser(app, settings, None).get(f"/d/{place.device.code}", headers=PAGE)
    assert stranger.status_code == 302 and stranger.location.startswith("/sign-in?next=%2Fd%2F")
    dan = people.browser(app, settings, place.dan)
    answer = dan.get(f"/d/{place.device.code}", headers=PAGE)
    assert answer.status_code == 404 and place.device.serial not in answer.text and place.customer.name not in answer.text


def test_the_choices_of_a_form_are_found_by_letters(ada: FlaskClient, place: SimpleNamespace) -> None:
    assert f'name="party_id" value="{place.customer.id}"' in page(ada, "/sites/choose?as=party_id&q=恒通")
    assert f'name="project_id" value="{place.project.id}"' in page(ada, "/sites/choose?as=project_id&q=园区")
    assert "No project fits" in page(ada, "/sites/choose?as=project_id&q=zzz")


def test_the_fields_of_a_file_are_read_from_the_apps_folder(app: Flask) -> None:
    settings: Settings = app.config["RINGDESK"]
    assert settings.attachments_dir == Path(settings.data) / "attachments"
