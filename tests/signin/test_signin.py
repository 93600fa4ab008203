"""Signing in and out: guessing, planted and copied cookies, where one lands, what a fault tells, and in which language."""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from flask import Flask
from sqlalchemy import select, text

from recordings import vault
from service.app import create_app
from service.calls import actions as calls
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.model import AuditEntry
from service.staff import actions
from service.staff.model import StaffSession
from service.staff.security import sessions
from tests import make
from tests.live import server
from tests.live.server import Listener, Web
from tests.recordings.sounds import tone, wav
from tests.signin import people
from tests.signin.people import PAGE

WRONG = "not the password"


@pytest.fixture
def app(settings: Settings, database: db.Database, committed_cast: SimpleNamespace) -> Flask:
    return create_app(settings, database)


def sentence(page: str) -> str:
    """What the sign-in page says is wrong."""
    found = re.search(r'id="wrong" role="alert">.*?</svg>([^<]+)<', page)
    return found[1] if found else ""


def test_an_unknown_name_a_wrong_password_and_a_dismissed_person_hear_one_answer(
    app: Flask, committed_cast: SimpleNamespace
) -> None:
    with db.begin(scope.ALL) as work:
        work.merge(committed_cast.ben).active = False
    tries = (("nobody", make.PASSWORD), ("ada", WRONG), ("ben", make.PASSWORD), ("ben", WRONG), ("ada", ""))
    heard = {(status, sentence(page)) for status, page in (people.typed(app.test_client(), *one) for one in tries)}
    assert len(heard) == 1
    ((status, said),) = heard
    assert status == 200 and said

    asked = app.test_client()
    headers = {"X-CSRFToken": people.token(asked)}
    told = [
        asked.post("/sign-in", json={"username": name, "password": password}, headers=headers)
        for name, password in tries
    ]
    assert {(answer.status_code, re.sub(r'"csrf_token": ?"[^"]*"', "", answer.text)) for answer in told} == {
        (400, re.sub(r'"csrf_token": ?"[^"]*"', "", told[0].text))
    }


def test_guessing_one_name_is_stopped_and_forgotten_after_a_quarter_of_an_hour(app: Flask) -> None:
    for _guess in range(actions.BY_NAME):
        assert people.typed(app.test_client(), " ADA ", WRONG)[0] == 200
    status, page = people.typed(app.test_client(), "ada", make.PASSWORD)
    assert status == 200 and "15" in sentence(page)
    assert people.typed(app.test_client(), "cleo", make.PASSWORD)[0] == 302, "others are not held up"
    with db.begin(scope.ALL) as work:
        work.execute(text("update sign_in_attempt set at = at - :w"), {"w": actions.WINDOW + timedelta(seconds=1)})
    assert people.typed(app.test_client(), "ada", make.PASSWORD)[0] == 302


def test_trying_many_names_from_one_address_is_stopped(app: Flask) -> None:
    with db.begin(scope.ALL) as work:
        for number in range(actions.BY_ADDRESS):
            actions.note_attempt(work, f"name{number}", "127.0.0.1", at=clock.now())
    assert people.typed(app.test_client(), "ada", make.PASSWORD)[0] == 200
    client = app.test_client()
    form = {"username": "ada", "password": make.PASSWORD, "csrf_token": people.token(client)}
    elsewhere = client.post("/sign-in", data=form, headers=PAGE, environ_overrides={"REMOTE_ADDR": "127.0.0.9"})
    assert elsewhere.status_code == 302


def test_a_name_of_the_oddest_kind_is_only_wrong(
    app: Flask, settings: Settings, committed_cast: SimpleNamespace
) -> None:
    for name in ("x" * 5000, "' or 1=1 --", "王" * 300, ""):
        assert people.typed(app.test_client(), name, "y" * 5000)[0] == 200, name[:20]
    assert people.typed(app.test_client(), "a\x00da", WRONG)[0] == 422
    assert people.browser(app, settings, committed_cast.ada).get("/customers?q=%00", headers=PAGE).status_code == 422


def test_a_sign_in_has_a_fresh_cookie_and_a_fresh_token(app: Flask) -> None:
    client = app.test_client()
    planted = people.token(client)
    before = client.get_cookie("ringdesk")
    assert people.typed(client, "ada", make.PASSWORD)[0] == 302
    after = client.get_cookie("ringdesk")
    assert before and after and before.value != after.value

    victim = app.test_client()
    victim.set_cookie("ringdesk", before.value)
    assert victim.get("/desk", headers=PAGE).status_code == 302, "the planted cookie is worth nothing"
    refused = client.post("/settings/theme", data={"theme": "dark", "csrf_token": planted}, headers=PAGE)
    assert refused.status_code == 400, "nor is its token"
    taken = client.post("/settings/theme", data={"theme": "dark", "csrf_token": people.token(client, "/desk")})
    assert taken.status_code == 302


def test_each_sign_in_is_a_row_of_its_own_and_no_cookie_outlives_it(app: Flask) -> None:
    clients = [app.test_client() for _browser in range(2)]
    for client in clients:
        form = {"username": "ada", "password": make.PASSWORD, "csrf_token": people.token(client), "remember": "y"}
        assert client.post("/sign-in", data=form, headers=PAGE).status_code == 302
        assert client.get_cookie("remember_token") is None
        cookie = client.get_cookie("ringdesk")
        assert cookie and cookie.http_only and cookie.same_site == "Lax"
    with db.begin(scope.ALL) as work:
        assert len(set(work.scalars(select(StaffSession.id)))) == 2
    first, second = clients
    first.post("/sign-out", data={"csrf_token": people.token(first, "/desk")})
    assert first.get("/desk", headers=PAGE).status_code == 302
    assert second.get("/desk", headers=PAGE).status_code == 200


def test_over_https_the_cookie_travels_nowhere_else(settings: Settings, app: Flask, database: db.Database) -> None:
    careful = create_app(replace(settings, secure_cookies=True), database).test_client()
    careful.get("/sign-in", headers=PAGE, base_url="https://localhost")
    cookie = careful.get_cookie("ringdesk")
    assert cookie and cookie.secure


ELSEWHERE = (
    "https://evil.example/x", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "https:evil.example", "https:/evil.example", "javascript:alert(1)",
    "/%09/evil.example", "/\t/evil.example", "\t//evil.example", "http://localhost@evil.example/", "//localhost:80@evil.example",
    "/\n/evil.example", " //evil.example",
)  # fmt: skip


def landed(location: str) -> str:
    """Where a browser goes: it drops tabs and line ends, and reads backslashes as slashes."""
    seen = re.sub(r"[\t\r\n]", "", location).strip().replace("\\", "/")
    return urlsplit(urljoin("http://localhost/sign-in", seen)).netloc


@pytest.mark.parametrize("place", ELSEWHERE)
def test_nobody_is_led_elsewhere_by_an_address_or_a_form(place: str, app: Flask) -> None:
    client = app.test_client()
    form = {"username": "ada", "password": make.PASSWORD, "csrf_token": people.token(client)}
    answer = client.post("/sign-in", query_string={"next": place}, data=form | {"next": place}, headers=PAGE)
    assert answer.status_code in (200, 302)
    assert landed(answer.headers.get("Location", "/")) == "localhost"
    again = client.get("/sign-in", query_string={"next": place}, headers=PAGE)
    assert again.status_code == 302 and landed(again.headers["Location"]) == "localhost"
    mark = people.token(client, "/desk")
    chosen = client.post("/settings/locale", data={"locale": "en", "next": place, "csrf_token": mark}, headers=PAGE)
    assert chosen.status_code == 302 and landed(chosen.headers["Location"]) == "localhost"


def test_an_address_that_cannot_be_read_leads_home(app: Flask) -> None:
    client = app.test_client()
    form = {"locale": "en", "next": "http://[", "csrf_token": people.token(client)}
    answer = client.post("/settings/locale", data=form, headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    for ask in (client.get, client.post):
        answer = ask("/sign-in", query_string={"next": "http://["}, headers=PAGE, **({"data": form} if ask == client.post else {}))
        assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_a_new_password_ends_the_old_one_and_the_sign_ins_made_with_it(app: Flask, settings: Settings) -> None:
    client = app.test_client()
    assert people.typed(client, "ada", make.PASSWORD)[0] == 302
    with db.begin(scope.ALL) as work:
        actions.give_password(work, " Ada", "entirely another", at=clock.now())
        told = work.execute(select(AuditEntry.verb, AuditEntry.entity).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert tuple(told) == ("password given", "staff")
    assert client.get("/desk", headers=PAGE).status_code == 302
    assert people.typed(app.test_client(), "ada", make.PASSWORD)[0] == 200
    assert people.typed(app.test_client(), "ada", "entirely another")[0] == 302


def test_the_sign_in_leads_to_the_page_that_was_asked_for(app: Flask) -> None:
    client = app.test_client()
    asked = client.get("/tickets?view=all&q=%E6%89%93", headers=PAGE).headers["Location"]
    status, place = people.typed(client, "ada", make.PASSWORD, asked)
    assert (status, urlsplit(place).path, urlsplit(place).query) == (302, "/tickets", "view=all&q=%E6%89%93")


@pytest.fixture
def away(settings: Settings, app: Flask, database: db.Database) -> Iterator[Flask]:
    """The app of a process whose database is gone."""
    gone = replace(settings, dsn_app="postgresql+psycopg2://nobody@127.0.0.1:9/none")
    lost = db.Database(gone, "away")
    yield create_app(gone, lost)
    lost.close()
    db.use(database.app)


def test_a_fault_shows_a_number_that_the_log_has_too(
    away: Flask, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    client = away.test_client()
    client.set_cookie("ringdesk", server.signed(settings, {"sid": "any"}))
    with caplog.at_level(logging.ERROR):
        answers = {
            "page": client.get("/health", headers=PAGE),
            "script": client.get("/calls", headers={"Accept": "application/json"}),
            "part": client.get("/calls", headers={"HX-Request": "true"}),
        }
    assert answers.pop("page").status_code == 200
    for answer in answers.values():
        assert answer.status_code == 500
        (number,) = set(re.findall(r"\b[0-9a-f]{8}\b", answer.text))
        (record,) = [r for r in caplog.records if number in r.getMessage()]
        assert record.exc_info, "the log has the cause"
        assert "9" in str(record.exc_info[1]) and "psycopg2" not in answer.text and "Traceback" not in answer.text


def test_the_page_speaks_the_chosen_language_before_and_after_the_sign_in(app: Flask) -> None:
    client = app.test_client()
    assert 'lang="zh-Hans"' in client.get("/sign-in", headers=PAGE).text
    assert 'lang="en"' in client.get("/sign-in", headers=PAGE | {"Accept-Language": "en-GB,en;q=0.9"}).text
    mark = people.token(client)
    for chosen, shown in (("en", "en"), ("zh_Hans_CN", "zh-Hans")):
        client.post("/settings/locale", data={"locale": chosen, "csrf_token": mark})
        assert f'lang="{shown}"' in client.get("/sign-in", headers=PAGE).text
    refused = client.post("/settings/locale", data={"locale": "tlh", "csrf_token": mark}, headers=PAGE)
    assert refused.status_code == 422 and "English" in refused.text

    people.typed(client, "cleo", make.PASSWORD)  # who reads English
    assert 'lang="en"' in client.get("/tickets", headers=PAGE).text
    client.post("/settings/locale", data={"locale": "zh_Hans_CN", "csrf_token": people.token(client, "/tickets")})
    page = client.get("/tickets", headers=PAGE).text
    assert 'lang="zh-Hans"' in page and "工单" in page
    with db.begin(scope.ALL) as work:
        cleo = work.execute(text("select locale from staff where username = 'cleo'")).scalar_one()
    assert cleo == "zh_Hans_CN"


def test_a_language_chosen_at_the_door_is_kept_inside_and_by_nobody_else(app: Flask) -> None:
    client = app.test_client()
    client.post("/settings/locale", data={"locale": "zh_Hans_CN", "csrf_token": people.token(client)})
    people.typed(client, "cleo", make.PASSWORD)  # who reads English
    assert 'lang="zh-Hans"' in client.get("/tickets", headers=PAGE).text

    client.post("/sign-out", data={"csrf_token": people.token(client, "/tickets")})
    people.typed(client, "ada", make.PASSWORD)  # who reads English too, and chose nothing at this door
    assert 'lang="en"' in client.get("/tickets", headers=PAGE).text


@pytest.fixture(scope="module")
def front(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return replace(settings, data=tmp_path_factory.mktemp("signin"))


@pytest.fixture(scope="module")
def running(front: Settings) -> Iterator[Web]:
    with server.serving(front) as web:
        yield web


@pytest.fixture
def recording(front: Settings, committed_cast: SimpleNamespace) -> int:
    sound = front.data / "call.wav"
    front.data.mkdir(exist_ok=True)
    sound.write_bytes(wav(tone(1.0)))
    with sound.open("rb") as file:
        sealed = vault.of(front).put(file)
    facts = {"path": sealed.key, "sha256": sealed.sha256, "size": sealed.size, "form": "wav/8000/1"}
    with db.begin(scope.ALL) as work:
        call = make.call(work, clock.now())
        return calls.recording_found(
            work, switch="pbx1", uniqueid=call.call_key, segment=1, seconds=make.Decimal(1), at=clock.now(), **facts
        )


def answers(web: Web, recording: int, cookies: dict[str, str]) -> dict[str, int]:
    """What each of the three doors says to the holder of these cookies."""
    found = {}
    with httpx.Client(base_url=web.url, cookies=cookies) as client:
        found["page"] = client.get("/desk", headers=PAGE).status_code
        found["media"] = client.get(f"/media/recordings/{recording}").status_code
        with client.stream("GET", "/live") as stream:
            found["live"] = stream.status_code
    return found


def test_a_copied_cookie_dies_with_the_sign_out_at_every_door(
    running: Web, front: Settings, committed_cast: SimpleNamespace, recording: int
) -> None:
    with httpx.Client(base_url=running.url) as ada:
        page = ada.get("/sign-in", headers=PAGE).text
        mark = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert mark
        form = {"username": "ada", "password": make.PASSWORD, "csrf_token": mark[1]}
        assert ada.post("/sign-in", data=form, headers=PAGE).status_code == 302
        copied = {"ringdesk": ada.cookies["ringdesk"]}
        assert answers(running, recording, copied) == {"page": 200, "media": 200, "live": 200}
        stream = Listener(running.url, copied)
        stream.next("snapshot")
        mark = re.search(r'name="csrf-token" content="([^"]+)"', ada.get("/desk", headers=PAGE).text)
        assert mark
        assert ada.post("/sign-out", data={"csrf_token": mark[1]}, headers=PAGE).status_code == 302

    assert stream.closed.wait(5)
    assert answers(running, recording, copied) == {"page": 302, "media": 401, "live": 401}


def test_whoever_is_dismissed_is_out_at_once_at_every_door(
    running: Web, front: Settings, committed_cast: SimpleNamespace, recording: int
) -> None:
    cookies = server.cookie(front, committed_cast.ada)
    assert answers(running, recording, cookies) == {"page": 200, "media": 200, "live": 200}
    with db.begin(scope.ALL) as work:
        work.merge(committed_cast.ada).active = False
        assert sessions.admitted("", "", at=clock.now()) is None
    assert answers(running, recording, cookies) == {"page": 302, "media": 401, "live": 401}
