"""Browsers of the people that each test knows, without the seconds a password takes."""

import re
from types import SimpleNamespace

from flask import Flask
from flask.testing import FlaskClient

from service.core import clock, db, scope
from service.core.config import Settings
from service.staff.model import Staff
from tests import make
from tests.browser import scene
from tests.live import server

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def token(client: FlaskClient, path: str = "/sign-in") -> str:
    """The token that a page of this browser carries."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path, headers=PAGE).text)
    assert found
    return found[1]


def typed(client: FlaskClient, username: str, password: str, address: str = "/sign-in") -> tuple[int, str]:
    """Name and password as a person types them; status and page, or place."""
    form = {"username": username, "password": password, "csrf_token": token(client)}
    answer = client.post(address, data=form, headers=PAGE)
    return answer.status_code, answer.headers.get("Location") or answer.text


def browser(app: Flask, settings: Settings, person: Staff | None) -> FlaskClient:
    """A browser that holds a sign-in of the person, or none."""
    client = app.test_client()
    if person is not None:
        client.set_cookie("ringdesk", server.cookie(settings, person)["ringdesk"])
    return client


def firm(cast: SimpleNamespace) -> SimpleNamespace:
    """A customer of Pudong with a call and a ticket, and a phone that rings at Ada's."""
    with db.begin(scope.ALL) as work:
        customer = make.party(work, cast.pudong, "浦东客户")
        make.line(work, cast.pudong, "support")
        ticket = make.ticket(work, customer, cast.ada, clock.now())
        device = make.device(work, customer)
        owned = {"product_id": make.product(work).id, "device_id": device.id, "code": device.code}
        site, project = make.site(work, cast.pudong), make.project(work, cast.pudong)
        unit = make.department(work, cast.pudong, "售后部", head=cast.cleo)
        made = {"department_id": unit.id, "team_id": make.team(work, unit, "热线组", cast.ada).id, "role_id": make.role(work, "agent").id}
        made |= owned | {"site_id": site.id, "project_id": project.id, "party_id": customer.id, "ticket_id": ticket.id, "call_id": make.call(work, clock.now()).id, "staff_id": cast.ada.id}
    return SimpleNamespace(**vars(cast), **made, pop_id=scene.rings("1795331799.1"))
