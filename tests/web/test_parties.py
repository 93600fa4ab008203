"""Parties through their pages: a form that loses nothing, two who edit, look-alikes, intake, merging, categories."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.app import create_app
from service.core import db, scope
from service.core.config import Settings
from service.parties import queries
from service.parties.model import Contact, Party, PartyCategory, PartyPhone
from tests import make
from tests.conftest import AT
from tests.signin import people
from tests.web.test_people import send

PAGE = {"Accept": "text/html"}
FORM = {"name": "苏州新客户有限公司", "kind": "company", "roles": ["customer"], "grade": "gold", "tags": "需预约，老客户", "credit_days": "30",
        "settlement": "monthly", "settlement_day": "25", "vendor_days": "30", "contact-n1-name": "李伟", "contact-n1-department": "采购部",
        "contact-n1-active": "1", "preferred": "n1", "phone-n2-of": "n1", "phone-n2-raw": "13800007001", "phone-n2-label": "mobile",
        "phone-n3-raw": "0512 6700 1200", "mail-n4-of": "n1", "mail-n4-address": "li@example.com", "contract-n5-name": "年保",
        "contract-n5-valid_until": "2027-03-31", "contract-n5-services": "上门、耗材", "account-n6-system": "收费", "account-n6-account": "30001234",
        "request_key": "k1"}  # fmt: skip


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def ada(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, committed_cast.ada)


@pytest.fixture
def mei(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, committed_cast.mei)


def parties() -> list[Party]:
    with db.begin(scope.ALL) as work:
        return list(work.scalars(select(Party).order_by(Party.id)))


def stored(party_id: int) -> queries.Card:
    with db.begin(scope.ALL) as work:
        card = queries.card(work, party_id)
    assert card
    return card


def fields(page: str) -> dict[str, str]:
    """What the browser would send back of the form of a party."""
    form = page[page.index('<form class="party-form"') :]
    sent = dict(re.findall(r'<input(?! type="(?:radio|checkbox)")[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form))
    sent |= dict(re.findall(r'<input type="(?:radio|checkbox)" name="([^"]+)" value="([^"]*)" checked', form))
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        sent[name] = chosen[1] if chosen else ""
    return {name: value for name, value in sent.items() if name != "csrf_token"}


def test_a_whole_form_is_on_file_once_however_often_it_is_sent(ada: FlaskClient) -> None:
    for _click in range(2):
        status, _page = send(ada, "/customers", **FORM)
        assert status == 302
    (party,) = parties()
    card = stored(party.id)
    assert [(name, [one.name for one in who]) for name, who in card.groups] == [("采购部", ["李伟"])]
    assert (card.contacts[0].preferred, party.tags, party.settlement_day) == (True, ["需预约", "老客户"], 25)
    assert sorted((one.raw, one.contact_id is not None) for one in card.phones) == [("0512 6700 1200", False), ("13800007001", True)]
    assert card.contracts[0].services == ["上门", "耗材"]
    page = ada.get(f"/customers/{party.id}", headers=PAGE).text
    assert all(said in page for said in ("采购部", "年保", "30001234", "需预约", "Main contact"))


def test_what_was_typed_stands_there_again_with_each_fault_at_its_field(ada: FlaskClient) -> None:
    wrong = {"name": "", "phone-n2-raw": "call me", "mail-n4-address": "nobody", "contract-n5-valid_until": "soon", "credit_limit": "much"}
    status, page = send(ada, "/customers", **FORM | wrong)
    assert (status, parties()) == (422, [])
    for name in ("name", "mail-n4-address", "contract-n5-valid_until", "credit_limit"):
        assert f'id="error-{name}"' in page, name
    assert all(f'value="{value}"' in page for value in ("李伟", "采购部", "call me", "nobody", "much", "30001234"))
    status, page = send(ada, "/customers", **FORM | {"phone-n2-raw": "call me"})
    assert (status, 'id="error-phone-n2-raw"' in page, parties()) == (422, True, [])


def test_a_form_that_comes_back_as_it_was_shown_changes_nothing(ada: FlaskClient) -> None:
    send(ada, "/customers", **FORM)
    (party,) = parties()
    before = stored(party.id)
    page = ada.get(f"/customers/{party.id}/edit", headers=PAGE).text
    assert send(ada, f"/customers/{party.id}", **fields(page))[0] == 302
    after = stored(party.id)
    assert after.party.version == before.party.version == 1
    assert [one.raw for one in after.phones] == [one.raw for one in before.phones]


def test_two_who_edit_see_both_and_the_second_may_save_over_the_first(ada: FlaskClient, mei: FlaskClient) -> None:
    send(ada, "/customers", **FORM)
    (party,) = parties()
    forms = [fields(who.get(f"/customers/{party.id}/edit", headers=PAGE).text) for who in (ada, mei)]
    assert send(ada, f"/customers/{party.id}", **forms[0] | {"address": "from Ada"})[0] == 302
    status, page = send(mei, f"/customers/{party.id}", **forms[1] | {"address": "from Mei"})
    assert (status, "from Ada" in page, 'value="from Mei"' in page) == (409, True, True)
    assert stored(party.id).party.address == "from Ada"
    assert send(mei, f"/customers/{party.id}", **forms[1] | {"address": "from Mei", "version": fields(page)["version"]})[0] == 302
    assert stored(party.id).party.address == "from Mei"


def test_a_look_alike_is_warned_of_while_typing_and_at_the_end(ada: FlaskClient, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        make.party(work, committed_cast.pudong, "苏州新客户股份有限公司", number="C-77")
        make.party(work, committed_cast.suzhou, "苏州新客户", number="C-78")
    warned = ada.get("/customers/alike?name=苏州 新客户&as=party").text
    assert "C-77" in warned and "C-78" not in warned and 'data-party="' in warned
    status, page = send(ada, "/customers", **FORM)
    assert (status, "C-77" in page, 'name="anyway"' in page, 'value="李伟"' in page) == (422, True, True, True)
    assert send(ada, "/customers", **FORM | {"anyway": "1"})[0] == 302
    assert len(parties()) == 3


@pytest.mark.parametrize("name", ["x" * 300, "🏭👩‍🔧", "شركة النور", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_whatever_a_party_is_called_no_page_breaks(ada: FlaskClient, name: str) -> None:
    status, page = send(ada, "/customers", **FORM | {"name": name, "contact-n1-name": name[:90], "contact-n1-department": name[:90]})
    assert status == (422 if len(name) > 200 else 302)
    if status == 302:
        (party,) = parties()
        page = "".join(ada.get(path, headers=PAGE).text for path in (f"/customers/{party.id}", f"/customers/{party.id}/edit", "/customers"))
    assert "<script>alert" not in page and "<img src=x" not in page


def test_inside_a_ticket_a_customer_and_a_contact_are_made(ada: FlaskClient, committed_cast: SimpleNamespace) -> None:
    form = ada.get("/customers/quick").text
    assert 'hx-post="/customers/quick"' in form and "<form" not in form
    status, made = send(ada, "/customers/quick", new_name="新客户", new_phone="13700001111", new_contact="王芳", new_department="行政部", new_key="q1")
    (party,) = parties()
    assert (status, f'data-made="{party.id}"' in made) == (200, True)
    assert send(ada, "/customers/quick", new_name="新 客户", new_phone="", new_key="q2")[0] == 422
    assert send(ada, "/customers/quick", new_name="新 客户", new_phone="", new_key="q2", new_anyway="1")[0] == 200
    status, made = send(ada, f"/customers/{party.id}/contacts", new_contact="李雷", new_department="行政部", new_phone="13700002222")
    with db.begin(scope.ALL) as work:
        contact = work.scalars(select(Contact).where(Contact.name == "李雷")).one()
        assert work.scalars(select(PartyPhone.contact_id).where(PartyPhone.raw == "13700002222")).one() == contact.id
    assert f'data-contact="{contact.id}"' in made
    page = ada.get(f"/tickets/new?party={party.id}&contact={contact.id}", headers=PAGE).text
    assert re.search(rf'value="{contact.id}" selected>李雷 · 行政部', page)


def test_two_become_one_and_the_old_address_leads_there(mei: FlaskClient, ada: FlaskClient, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        old = make.party(work, committed_cast.pudong, "恒通 物流", number="C-OLD", address="旧址")
        new = make.party(work, committed_cast.pudong, "恒通物流有限公司", number="C-NEW")
        ticket = make.ticket(work, old, committed_cast.ada, AT)
        call = make.call(work, AT, caller_number="13900000000")  # a row in a branch of its own
        call.party_id = old.id
    assert "C-OLD" in mei.get("/customers/duplicates", headers=PAGE).text
    compare = mei.get(f"/customers/{old.id}/merge?into={new.id}", headers=PAGE).text
    assert 'name="take-address" value="old" checked' in compare
    assert ada.get(f"/customers/{old.id}/merge", headers=PAGE).status_code == 403
    assert send(mei, f"/customers/{old.id}/merge", into=new.id, **{"take-address": "old", "take-name": "new"})[0] == 302
    gone = mei.get(f"/customers/{old.id}", headers=PAGE)
    assert (gone.status_code, gone.location) == (302, f"/customers/{new.id}")
    page = mei.get(f"/customers/{new.id}", headers=PAGE).text
    assert ticket.number in page and "旧址" in page and "C-OLD" in page
    assert f'href="/customers/{new.id}"' in mei.get("/found?q=C-OLD").text


def test_two_who_only_look_alike_are_said_to_be_two_and_may_be_doubted_again(mei: FlaskClient, ada: FlaskClient, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        one, other = (make.party(work, committed_cast.pudong, "恒通 物流", number=number) for number in ("C-ONE", "C-OTHER"))
    assert "C-ONE" in mei.get("/customers/duplicates", headers=PAGE).text
    assert send(ada, f"/customers/{one.id}/apart", other=other.id)[0] == 403
    assert send(mei, f"/customers/{other.id}/apart", other=one.id)[0] == 302
    assert "C-ONE" not in mei.get("/customers/duplicates", headers=PAGE).text
    assert "C-ONE" in mei.get("/customers/duplicates?apart=1", headers=PAGE).text
    assert "C-ONE" not in ada.get(f"/customers/alike?name=恒通物流&but={other.id}").text
    assert "C-OTHER" in mei.get(f"/customers/{one.id}", headers=PAGE).text
    assert send(mei, f"/customers/{one.id}/apart", other=other.id, again="1")[0] == 302
    assert "C-ONE" in mei.get("/customers/duplicates", headers=PAGE).text
    assert send(mei, f"/customers/{one.id}/apart", other="x")[0] == 404


def test_who_sees_only_one_of_the_two_merges_nothing(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        old = make.party(work, committed_cast.pudong, "恒通")
        new = make.party(work, committed_cast.suzhou, "恒通")
    cleo = people.browser(app, settings, committed_cast.cleo)
    assert send(cleo, f"/customers/{old.id}/merge", into=new.id)[0] == 404
    assert [one.state for one in parties()] == ["active", "active"]


def test_what_is_open_is_named_before_a_customer_goes_out_of_use(ada: FlaskClient, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        party = make.party(work, committed_cast.pudong)
        make.ticket(work, party, committed_cast.ada, AT)
        make.invoice(work, party, "80.00", AT.date(), AT.date(), AT)
    status, page = send(ada, f"/customers/{party.id}/disable", reason="")
    assert (status, "1 open ticket" in page, "80.00 receivable" in page) == (422, True, True)
    assert send(ada, f"/customers/{party.id}/disable", reason="moved away")[0] == 302
    assert "moved away" in ada.get(f"/customers/{party.id}", headers=PAGE).text
    assert "Out of use" in ada.get("/found?q=恒通").text
    assert send(ada, f"/customers/{party.id}/enable")[0] == 302


def test_categories_are_kept_as_a_tree(mei: FlaskClient, ada: FlaskClient) -> None:
    send(mei, "/settings/categories", side="customer", name="企业")
    with db.begin(scope.ALL) as work:
        top = work.scalars(select(PartyCategory.id)).one()
    assert send(mei, "/settings/categories", side="customer", name="物流", parent_id=top)[0] == 302
    assert send(mei, "/settings/categories", side="customer", name="企业")[0] == 422
    assert send(mei, f"/settings/categories/{top}/remove")[0] == 409
    assert send(mei, f"/settings/categories/{top}", name="企业客户")[0] == 302
    assert send(ada, "/customers", **FORM)[0] == 422  # every customer has one now
    assert send(ada, "/customers", **FORM | {"category_id": str(top)})[0] == 302
    with db.begin(scope.ALL) as work:
        assert work.scalar(select(func.count()).where(Party.category_id == top)) == 1
    assert "苏州新客户" in ada.get(f"/customers?category={top}", headers=PAGE).text


@pytest.mark.parametrize("query", ["role=vendor", "grade=gold", "state=disabled", "tag=老客户", "role=nobody", "category=99999999999", "q=%00", "after=x"])
def test_the_list_answers_whatever_its_address_says(ada: FlaskClient, query: str) -> None:
    send(ada, "/customers", **FORM)
    answer = ada.get(f"/customers?{query}", headers=PAGE)
    assert answer.status_code in (200, 422)
    known = {"role=vendor": False, "grade=gold": True, "state=disabled": False, "tag=老客户": True}
    assert known.get(query) in (None, "苏州新客户" in answer.text)
