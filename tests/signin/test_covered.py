"""Numbers are covered on every page, in every export and every live event of who may not read them, and shown one at a time on record."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.app import create_app
from service.calls import actions as calls
from service.calls import queries as call_queries
from service.calls.model import MissedCaller
from service.calls.schemas import Doubted, LegFacts, TransferFacts
from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.intake.target import Into, Row
from service.core.lists.spec import KNOWN
from service.core.model import AuditEntry
from service.parties import actions, forms
from service.parties import queries as parties
from service.parties.importing import TARGETS
from service.parties.model import Party, PartyPhone
from service.staff import queries as staff
from service.staff import rules
from service.staff.model import Role, Staff
from service.tickets.model import Ticket
from tests import make
from tests.browser import scene
from tests.signin import people, world
from tests.signin.people import PAGE
from tests.signin.test_doors import address, routes

NUMBER, MAIL, MASKED = world.NUMBER, world.MAIL, "139****7788"
TAX, LIMIT = "310101199001011234", "98765"
SCRIPT = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    own = replace(settings, data=tmp_path_factory.mktemp("covered"), switches=(SwitchSettings(name="pbx1", actor_username="ringdesk-act", actor_secret="x"),))
    yield create_app(own, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """A customer whose number stands wherever a number can stand."""
    cast, now = committed_cast, clock.now()
    legs = (LegFacts(1, f"Local/{NUMBER}@trunk-00000001;2", None, None, now, now, now, "answered"),)
    passed = (TransferFacts("blind", "1001", NUMBER, True, now),)
    with db.begin(scope.ALL) as work:
        party = make.party(work, cast.pudong, "浦东客户", email=f"old.{MAIL}", kind="person", tax_number=TAX)
        phone = make.phone(work, party, NUMBER, make.contact(work, party))
        make.line(work, cast.pudong, "support")
        call = make.call(work, now, caller_number=NUMBER, caller_name=NUMBER, legs=legs, transfers=passed)
        make.call(work, now, direction="outbound", caller_number="1001", called=NUMBER, queue=None)
        make.call(work, now, caller_number=NUMBER, disposition="abandoned", answered_at=None, answered_by=None, agent=None, talk_seconds=None)
        ticket = make.ticket(work, party, cast.ada, now, phone=NUMBER, call=(call.switch, call.call_key))
        calls.history.feed_stands(work, "pbx1", calls.Heard(True, now, now, 10, 1, 0), at=now)
        calls.history.doubted(work, "pbx1", [Doubted("forged", f"CallerIDNum: {NUMBER}", True)], at=now)
        make.invoice(work, party, "4321.09", now.date(), now.date(), now)
        missed = work.scalars(select(MissedCaller)).one()
        made: dict[str, Any] = world.rest(work, cast, party)
        _told(work, cast, party, int(made["category_id"]))
        made["twin_id"] = make.party(work, cast.pudong, "浦东客户二", email=f"twin.{MAIL}").id
        made |= {"role_id": make.role(work, "agent").id, "department_id": 999999, "team_id": 999999, "staff_id": cast.ada.id}
        work.add(Role(name="clerk", permissions=sorted(rules.PERMISSIONS["admin"] - {"phone.read", "amount.read"})))
        work.flush()
        cast.ivy = make.staff(work, "ivy", cast.hq, "clerk", reach="all")  # comes to every page, and reads no number
        made |= {"party_id": party.id, "phone_id": phone.id, "ticket_id": ticket.id, "call_id": call.id, "missed_id": missed.id}
    made["pop_id"] = scene.rings("1795331799.1", caller_number=NUMBER, caller_name=NUMBER)
    return SimpleNamespace(**vars(cast), **made)


def _told(work: Session, cast: SimpleNamespace, party: Party, category_id: int) -> None:
    """The history of the customer tells of a limit, a mail, a number, and a contact that came by a table."""
    card, reader = parties.card(work, party.id), staff.identity_of(work, work.get_one(Staff, cast.root.id))
    typed = forms.from_card(card, reader)
    typed.values |= {"category_id": str(category_id), "credit_limit": LIMIT, "email": MAIL, "fax": world.OTHER}
    typed.rows["mail"]["new1"] = {"of": str(card.contacts[0].id), "address": f"office.{MAIL}", "label": "work"}
    actions.change(work, party.id, forms.to_draft(typed, reader, card), version=party.version, by=cast.root.id, at=clock.now())
    row, into = Row(2, {"party": party.number, "name": "孙丽", "phones": [NUMBER], "mails": [f"sun.{MAIL}"]}), Into(cast.pudong.id, cast.root.id, clock.now())
    contacts = next(one for one in TARGETS if one.name == "contacts")
    contacts.find(work, [row], into)
    assert contacts.create(work, [row], into)


def addresses(app: Flask, firm: SimpleNamespace) -> list[str]:
    """Every page that the app's own map of addresses names, and those that are another page by what is asked."""
    pages = [address(app, rule, firm) for route, rule in routes(app) if route.startswith("GET") and "/dashboards/_" not in route]
    more = (f"/tickets/new?pop={firm.pop_id}", f"/tickets/new?call={firm.call_id}", f"/tickets/new?party={firm.party_id}",
            "/calls?direction=outbound", f"/calls?party={firm.party_id}", "/calls/statistics?by=line", "/calls/missed?state=closed", "/customers?q=浦东",
            f"/settings/imports/{firm.batch_id}", f"/settings/imports/{firm.batch_id}/errors.csv", f"/maintenance/plans/{firm.plan_id}", f"/d/{firm.code}",
            f"/labels?site={firm.site_id}", f"/scan?code={firm.code}", f"/tickets/cover?device_id={firm.device_id}", "/settings/people?cols=name,phone",
            *(f"{one.address}?cols={','.join(column.key for column in one.columns)}" for one in KNOWN.values()),
            *(f"/lists/{one.name}/export.csv?cols={','.join(column.key for column in one.columns)}" for one in KNOWN.values()),
            "/customers/found?q=浦东&as=choice", "/customers/found?q=浦东", "/found?q=浦东", "/tickets?view=all")
    return [*pages, *more]


def said(client: FlaskClient, path: str) -> str:
    """All that an answer says, a workbook's cells included, without the gaps inside of numbers."""
    answer = client.get(path, headers=PAGE)
    content = answer.text if answer.mimetype.startswith(("text/", "application/json")) else ""
    if answer.mimetype.endswith("sheet"):
        with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
            content = " ".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return re.sub(r"[\s().-]", "", content)


def browser(app: Flask, settings: Settings, firm: SimpleNamespace, who: str) -> FlaskClient:
    return people.browser(app, settings, getattr(firm, who))


def post(client: FlaskClient, path: str, **form: Any) -> Any:
    return client.post(path, data={"csrf_token": people.token(client, "/tickets"), **form}, headers=SCRIPT)


@pytest.mark.parametrize("who", ["ada", "wang", "fay", "ivy"])
def test_no_page_of_theirs_holds_the_whole_number_or_mail(who: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = browser(app, settings, firm, who)
    merges = [f"/customers/{firm.party_id}/merge?into={firm.twin_id}", f"/customers/{firm.twin_id}/merge?into={firm.party_id}"]
    told = {path: said(client, path) for path in [*addresses(app, firm), *merges]}

    hidden = (NUMBER, world.OTHER, MAIL, TAX, *([LIMIT] if who == "ivy" else []))
    assert [(path, whole) for path, content in told.items() for whole in hidden if whole in content] == []
    assert len([path for path, content in told.items() if MASKED in content]) > 4


def test_no_page_that_everybody_may_open_breaks(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    for who in ("ivy", "root", "cleo", "wang"):
        client = browser(app, settings, firm, who)
        assert [path for path in addresses(app, firm) if client.get(path, headers=PAGE).status_code >= 500] == []


def test_what_somebody_brought_themselves_is_theirs_to_see(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    path = f"/settings/imports/{firm.batch_id}"
    stranger = browser(app, settings, firm, "ivy")
    assert MASKED in said(stranger, path) and stranger.get(f"{path}/errors.csv", headers=PAGE).status_code == 403
    with db.begin(scope.ALL) as work:
        work.execute(text("update import_batch set by_id = :ivy"), {"ivy": firm.ivy.id})
    assert NUMBER in said(stranger, path) and NUMBER in said(stranger, f"{path}/errors.csv")


def test_a_covered_number_of_a_person_comes_back_whole(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ivy = browser(app, settings, firm, "ivy")
    form = {"username": "ada", "name": "Ada Li", "roles": "agent", "branch_id": firm.pudong.id, "reach": "branch", "active": "1", "version": "1", "phone": MASKED}
    assert post(ivy, f"/settings/people/{firm.ada.id}", **form).status_code == 302
    with db.begin(scope.ALL) as work:
        ada = work.get_one(Staff, firm.ada.id)
        assert (ada.name, ada.phone) == ("Ada Li", NUMBER)


def test_who_has_the_right_sees_it_on_each_of_these_pages(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = browser(app, settings, firm, "cleo")
    pages = ("/calls", "/calls/missed", "/calls/export.xlsx", f"/calls/{firm.call_id}", f"/customers/{firm.party_id}", f"/tickets/{firm.ticket_id}",
             f"/tickets/new?call={firm.call_id}", "/nights/feeds")

    assert [path for path in pages if NUMBER not in said(client, path) or MASKED in said(client, path)] == []


def test_the_export_of_who_may_export_but_not_read_is_covered(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    assert MASKED in said(browser(app, settings, firm, "fay"), "/calls/export.xlsx")


def test_the_news_of_a_ringing_phone_is_covered_for_whoever_sits_there(firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        make.seat(work, firm.cleo, "1009", clock.now())
        work.execute(text("delete from live_event"))
    for extension, key in (("1001", "1795331800.1"), ("1009", "1795331800.2")):
        scene.rings(key, extension, caller_number=NUMBER, caller_name=NUMBER)
    with db.begin(scope.ALL) as work:
        ada, cleo = work.scalars(text("select payload from live_event where kind = 'pop' order by id")).all()
        again = call_queries.snapshot(work, firm.ada.id, clock.now()), call_queries.snapshot(work, firm.cleo.id, clock.now())

    for told in (ada, *again[0]):
        assert (told["display"], told["number"], told["name"], told["covered"]) == (MASKED, MASKED, MASKED, True)
        assert NUMBER not in str(told)
    for told in (cleo, *again[1]):
        assert (told["display"], told["number"], told["covered"]) == ("139 0000 7788", NUMBER, False)


def test_a_call_that_is_made_is_covered_in_the_news_too(firm: SimpleNamespace) -> None:
    scene.rings("1795331801.1", direction="outbound", caller_number="1001", caller_name=None, called=NUMBER, queue=None)
    with db.begin(scope.ALL) as work:
        assert NUMBER not in str(work.scalars(text("select payload from live_event")).all())


@pytest.mark.parametrize("kind", ["phone", "call", "missed", "ticket", "pop", "mail"])
def test_one_click_shows_one_number_and_is_on_record(kind: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    thing = firm.party_id if kind == "mail" else getattr(firm, f"{kind}_id")
    answer = post(browser(app, settings, firm, "ada"), "/numbers/show", kind=kind, id=thing)

    assert answer.json == {"shown": MAIL if kind == "mail" else "139 0000 7788"}
    with db.begin(scope.ALL) as work:
        line = work.scalars(select(AuditEntry).where(AuditEntry.verb == "revealed phone")).one()
        entity, known = {"phone": ("party", firm.party_id), "mail": ("party", firm.party_id), "missed": ("missed_caller", thing)}.get(kind, (kind, thing))
        assert (line.by_id, line.entity, line.entity_id, line.branch_id) == (firm.ada.id, entity, known, firm.pudong.id)
        assert NUMBER not in str(line.new) and MAIL not in str(line.new)


@pytest.mark.parametrize(("who", "kind", "status"), [
    ("fay", "call", 403), ("dan", "call", 404), ("dan", "phone", 404), ("dan", "mail", 404), ("ben", "pop", 404), ("ada", "nothing", 404), ("wang", "call", 200),
])
def test_it_is_refused_without_the_right_and_out_of_scope(
    who: str, kind: str, status: int, app: Flask, settings: Settings, firm: SimpleNamespace
) -> None:
    thing = {"mail": firm.party_id, "nothing": 1}.get(kind) or getattr(firm, f"{kind}_id")
    answer = post(browser(app, settings, firm, who), "/numbers/show", kind=kind, id=thing)

    assert answer.status_code == status
    with db.begin(scope.ALL) as work:
        assert len(work.scalars(select(AuditEntry.id).where(AuditEntry.verb == "revealed phone")).all()) == (status == 200)


def test_a_role_that_loses_the_right_sees_stars_at_once(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = browser(app, settings, firm, "cleo")
    assert NUMBER in said(client, "/calls")
    with db.begin(scope.ALL) as work:
        role = work.scalars(select(Role).where(Role.name == "supervisor")).one()
        role.permissions = [code for code in role.permissions or [] if code != "phone.read"]
    assert NUMBER not in said(client, "/calls")


@pytest.mark.parametrize("path", ["/calls?number={}", "/calls/statistics?number={}", "/customers?q={}", "/customers/found?q={}", "/found?q={}"])
def test_no_part_of_a_number_narrows_anything_for_them(path: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ada, cleo = browser(app, settings, firm, "ada"), browser(app, settings, firm, "cleo")
    hit = "浦东客户" if "q=" in path else "/calls/" + str(firm.call_id) if "statistics" not in path else "Alltogether"
    finds = {part: hit in said(ada, path.format(part)) for part in ("7788", "139", "1390000778", "3900007788", "00007788", NUMBER)}

    assert finds == {part: part == NUMBER for part in finds}
    assert hit in said(cleo, path.format("00007788"))


@pytest.mark.parametrize("path", ["/customers?q={}", "/customers/found?q={}", "/found?q={}"])
def test_no_part_of_a_mail_finds_anybody_for_them(path: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ada, cleo = browser(app, settings, firm, "ada"), browser(app, settings, firm, "cleo")
    whole = f"office.{MAIL}"
    parts = ("office", "office.l", "lihua@hengtong", "office@", "hengtong", f"{whole}x", whole[:-1], whole)
    assert {part: "浦东客户" in said(ada, path.format(part)) for part in parts} == {part: part == whole for part in parts}
    assert all("浦东客户" in said(cleo, path.format(part)) for part in parts if part != f"{whole}x")


def test_what_was_exported_covers_what_was_looked_for(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    assert browser(app, settings, firm, "root").get(f"/lists/customers/export.csv?q={NUMBER}", headers=PAGE).status_code == 200
    ivy, root = browser(app, settings, firm, "ivy"), browser(app, settings, firm, "root")
    for path in ("/settings/audit?entity=list", "/lists/audit/export.csv"):
        assert NUMBER in said(root, path) and NUMBER not in said(ivy, path)


@pytest.mark.parametrize("path", ["/calls?number=7788", "/customers?q=7788", "/customers/found?q=7788", "/customers/found?q=7788&as=choice", "/found?q=77 88"])
def test_an_empty_answer_says_to_type_the_whole_number(path: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    assert "Type the whole number" in browser(app, settings, firm, "ada").get(path, headers=PAGE).text
    assert "Type the whole number" not in browser(app, settings, firm, "cleo").get(path, headers=PAGE).text


@pytest.mark.parametrize(("typed", "kept"), [(MASKED, NUMBER), ("13900007799", "13900007799"), ("", "")])
def test_a_ticket_keeps_the_real_number_whatever_the_form_showed(
    typed: str, kept: str, app: Flask, settings: Settings, firm: SimpleNamespace
) -> None:
    ada = browser(app, settings, firm, "ada")
    assert f'name="phone" maxlength="80" inputmode="tel" value="{MASKED}"' in ada.get(f"/tickets/new?pop={firm.pop_id}", headers=PAGE).text
    answer = post(ada, "/tickets", pop=firm.pop_id, party_id=firm.party_id, phone=typed, subject="卡纸", priority="normal", type="repair", request_key="k" * 20)

    assert answer.status_code == 302
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Ticket.phone).order_by(Ticket.id.desc())).first() == kept


def test_a_covered_number_of_somebody_else_is_refused_in_words(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ada = browser(app, settings, firm, "ada")
    answer = post(ada, "/tickets", pop=firm.pop_id, party_id=firm.party_id, phone="138****0000", subject="卡纸", priority="normal", type="repair", request_key="k" * 20)

    assert answer.status_code == 422
    assert "covered with stars" in answer.text


def test_a_new_customer_has_the_number_of_the_call_and_never_the_mask(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    other = "13911112222"
    pop = scene.rings("1795331802.1", caller_number=other)
    ada = browser(app, settings, firm, "ada")
    page = ada.get(f"/desk/pops/{pop}", headers=PAGE).text
    assert "139****2222" in page and other not in page
    post(ada, f"/desk/pops/{pop}/customer", name="新客户", phone="139****2222")

    with db.begin(scope.ALL) as work:
        assert work.scalars(select(PartyPhone.raw).order_by(PartyPhone.id.desc())).first() == other
        assert not [raw for raw in work.scalars(select(PartyPhone.raw)) if "*" in raw]


@pytest.mark.parametrize(("form", "path"), [
    ({"phone": "phone_id", "party": "party_id"}, "/orders/dial"), ({"call": "call_id"}, "/orders/dial"), ({"missed": "missed_id"}, "/orders/dial"),
    ({"party": "party_id"}, "/orders/dial"), ({}, "/tickets/{}/dial"),
])
def test_a_click_dials_what_only_the_server_knows(
    form: dict[str, str], path: str, app: Flask, settings: Settings, firm: SimpleNamespace
) -> None:
    ada = browser(app, settings, firm, "ada")
    answer = post(ada, path.format(firm.ticket_id), key="key-of-one-click", **{name: getattr(firm, known) for name, known in form.items()})

    assert answer.status_code == 200, answer.text
    assert NUMBER not in answer.text
    with db.begin(scope.ALL) as work:
        assert work.scalar(text("select args ->> 'number' from phone_order")) == f"+86{NUMBER}"


def test_what_a_customer_owes_is_for_those_whose_work_it_is(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    path = f"/customers/{firm.party_id}"
    for who, seen in (("ada", True), ("cleo", True), ("fay", True), ("wang", False)):
        page = browser(app, settings, firm, who).get(path, headers=PAGE).text
        assert ("4,321.09" in page, "•••" in page) == (seen, not seen), who


def test_who_reads_numbers_in_one_branch_reads_them_where_no_other_is_seen(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    """An agent of Suzhou who is supervisor in Pudong: a page of both branches covers, one who only has Pudong reads."""
    with db.begin(scope.ALL) as work:
        both = make.staff(work, "both", firm.suzhou, "agent", reach="branch")
        make.role_at(work, both, "supervisor", firm.pudong)
        one = make.staff(work, "one", firm.suzhou, "supervisor", reach="branch")
        make.role_at(work, one, "supervisor", firm.pudong)
    pages = {who.username: people.browser(app, settings, who) for who in (both, one)}
    path = f"/customers/{firm.party_id}"
    assert MASKED in said(pages["both"], path) and NUMBER not in said(pages["both"], path) + said(pages["both"], "/calls")
    assert NUMBER in said(pages["one"], path)
    with db.begin(scope.NONE) as work:
        me = staff.identity_of(work, work.get_one(Staff, both.id))
    assert me.may("phone.read") and not me.reads("phone.read") and me.reads("phone.reveal")
    assert replace(me, scope=me.scope_for("floor.watch")).reads("phone.read"), "what only Pudong is seen through is read"
