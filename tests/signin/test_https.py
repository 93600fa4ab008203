"""Plain HTTP where HTTPS is served: pages are sent on, forms are not taken, and a proxy that is trusted says how it came."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest

from service.core import config, db
from service.core.config import BadSetting, Settings
from tests.live import server
from tests.live.server import Web
from tests.signin import door
from tests.signin.people import PAGE

PROXIED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.1.9.9"}


@pytest.fixture(scope="module")
def web(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    own = replace(settings, data=tmp_path_factory.mktemp("https"))
    with server.serving(own, RINGDESK_SECURE_COOKIES="1") as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/sign-in?next=/tickets%3Fq%3D1", "/live", "/media/recordings/1", "/static/dist/app.js"])
def test_every_door_sends_plain_http_on_to_https(path: str, web: Web) -> None:
    answer = httpx.get(web.url + path, headers=PAGE | {"Host": "desk.example:8080"})
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://desk.example{path}")
    assert httpx.get(web.url + path, headers=PAGE | {"Host": "evil.example/@x"}).status_code in (400, 403)


def test_a_form_over_plain_http_is_not_taken(web: Web) -> None:
    answer = httpx.post(f"{web.url}/sign-in", data={"username": "ada", "password": "x"}, headers=PAGE)
    assert answer.status_code == 403 and "HTTPS" in answer.text
    assert httpx.get(f"{web.url}/health").status_code == 200


def test_behind_a_trusted_proxy_the_pages_come_and_browsers_stay_with_https(web: Web, committed_cast: SimpleNamespace) -> None:
    answer = httpx.get(f"{web.url}/sign-in", headers=PAGE | PROXIED)
    assert answer.status_code == 200 and "max-age" in answer.headers["Strict-Transport-Security"]
    assert "; Secure" in answer.headers["Set-Cookie"]


def test_the_address_that_a_trusted_proxy_names_is_the_one_that_counts(
    web: Web, settings: Settings, committed_cast: SimpleNamespace
) -> None:
    door.demands("agent", second=False, addresses="10.1.0.0/16")
    cookies = server.cookie(settings, committed_cast.ada)
    for path, inside in (("/desk", 200), ("/media/recordings/999", 404)):
        assert httpx.get(web.url + path, headers=PAGE | PROXIED, cookies=cookies).status_code == inside, path
    outside = PROXIED | {"X-Forwarded-For": "10.1.9.9, 192.0.2.7"}  # the proxy adds who really asked at the end
    assert httpx.get(f"{web.url}/media/recordings/999", headers=PAGE | outside, cookies=cookies).status_code == 401
    assert httpx.get(f"{web.url}/desk", headers=PAGE | PROXIED, cookies=cookies).status_code == 302, "it has ended"


@pytest.mark.parametrize(("typed", "kept"), [("", ""), ("10.0.0.7, 10.1.0.0/16", "10.0.0.7/32,10.1.0.0/16"), ("::1", "::1/128")])
def test_proxies_are_addresses_or_ranges(typed: str, kept: str, settings: Settings) -> None:
    env = {"RINGDESK_DATA": str(settings.data), "RINGDESK_SECRET_KEY": "k" * 48, "RINGDESK_TRUSTED_PROXIES": typed}
    assert config.load(env).trusted_proxies == kept
    with pytest.raises(BadSetting, match="trusted_proxies"):
        config.load(env | {"RINGDESK_TRUSTED_PROXIES": "proxy.example"})
