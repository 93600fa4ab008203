"""What the tests of the door share: forms as a browser sends them, codes as an app shows them, lines of the log."""

import re
from base64 import b32decode
from collections.abc import Sequence
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select, text

from service.core import clock, db, scope
from service.core.model import AuditEntry
from service.staff.model import Role
from service.staff.security import rules, sealing, second_factor
from service.staff.security.model import Totp
from tests import make
from tests.signin import people
from tests.signin.people import PAGE


def send(client: FlaskClient, path: str, page: str, **form: Any) -> tuple[int, str]:
    """The form of that page, sent; status and page, or place."""
    answer = client.post(path, data=form | {"csrf_token": people.token(client, page)}, headers=PAGE)
    return answer.status_code, answer.headers.get("Location") or answer.text


def password(client: FlaskClient, username: str, word: str = make.PASSWORD) -> str:
    """Name and password typed; where the browser stands after it followed each redirect."""
    status, place = people.typed(client, username, word)
    return landed(client, place) if status == 302 else "/sign-in"


def landed(client: FlaskClient, place: str) -> str:
    """The path at which redirects end."""
    answer = client.get(place, headers=PAGE)
    while answer.status_code in (301, 302, 303):
        place = answer.headers["Location"]
        answer = client.get(place, headers=PAGE)
    return place.partition("?")[0]


def demands(role: str, *, second: bool = True, addresses: str = "") -> None:
    """The role demands this from now on."""
    with db.begin(scope.ALL) as work:
        row = work.scalars(select(Role).where(Role.name == role)).one()
        row.second_factor, row.addresses = second, addresses


def enrolled(staff_id: int) -> list[str]:
    """The person has an app; their recovery codes."""
    with db.begin(scope.ALL) as work:
        key = second_factor.begin(work, staff_id)
        return second_factor.confirm(work, staff_id, shown(b32decode(key)), at=clock.now())


def shown(secret: bytes) -> str:
    """What an app shows now."""
    return rules.code_of(secret, rules.step_of(clock.now()))


def fresh_code(staff_id: int) -> str:
    """The code of the person's app, as if none had been used yet."""
    with db.begin(scope.ALL) as work:
        work.execute(text("update staff_totp set last_step = 0 where staff_id = :id"), {"id": staff_id})
        secret = sealing.opened(work.get_one(Totp, staff_id).secret, staff_id)
    assert secret
    return shown(secret)


def key_on(page: str) -> bytes:
    """The key that an enrolment page shows in letters."""
    found = re.search(r'id="key">([^<]+)<', page)
    assert found
    return b32decode(found[1].replace(" ", ""))


def codes_on(page: str) -> list[str]:
    """The recovery codes of a page."""
    return re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", page)


def lines(*kinds: str) -> Sequence[AuditEntry]:
    """What the log has of these kinds, oldest first."""
    with db.begin(scope.ALL) as work:
        return work.scalars(select(AuditEntry).where(AuditEntry.kind.in_(kinds)).order_by(AuditEntry.id)).all()


def refusals() -> list[tuple[str, str]]:
    """Name and reason of each refused sign-in."""
    return [((line.new or {}).get("name", ""), (line.new or {})["why"]) for line in lines("refused")]
