"""The list of people."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from service.core import identity, lists
from service.core.lists import Column, Empty, Filter, ListSpec, Told
from service.core.pages import called, label
from service.staff import queries
from service.staff.grants import Held
from service.staff.model import Role, Staff, staff_role
from service.staff.people import KINDS


def _holds(name: str) -> ColumnElement[bool]:
    """The person has the role, everywhere they reach or in one branch."""
    return Staff.id.in_(select(staff_role.c.staff_id).join(Role, Role.id == staff_role.c.role_id).where(Role.name == name))


OFF = case((Staff.active, "0"), else_="1")


def _typed(words: str) -> ColumnElement[bool]:
    return Staff.name.icontains(words, autoescape=True) | Staff.username.contains(words.lower(), autoescape=True)


def _labels(session: Session, rows: Sequence[Staff], _wanted: Mapping[str, Any]) -> lists.Labels:
    return {
        "branches": {key: called(branch) for key, branch in queries.branches(session).items()},
        "units": {key: called(unit) for key, unit in queries.departments(session).items()} if any(p.department_id for p in rows) else {},
        "held": queries.roles_of(session, [person.id for person in rows]) if rows else {},
    }


def _roles(person: Staff, told: Told) -> str:
    return " · ".join(label("role", held.name) for held in _held(person, told) if held.branch_id is None)


def _roles_at(person: Staff, told: Told) -> str:
    """Roles given in one branch, each with it."""
    pairs = [(label("role", held.name), told.name("branches", held.branch_id)) for held in _held(person, told) if held.branch_id is not None]
    return " · ".join(str(_l("%(role)s in %(branch)s", role=role, branch=branch)) for role, branch in pairs)


def _held(person: Staff, told: Told) -> Sequence[Held]:
    return told.labels["held"].get(person.id, ())


def _branches(session: Session) -> list[tuple[str, Any]]:
    return [(str(key), called(branch)) for key, branch in queries.branches(session).items()]


def _rows(_session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """The people of the branches in which the reader administers; the table itself has no policy, since signing in reads it."""
    within = wanted["reader"].scope_for(queries.ADMINISTERS)
    return select(Staff) if within.branches is None else select(Staff).where(Staff.branch_id.in_(within.branches))


def _mine(session: Session) -> list[tuple[str, Any]]:
    me = identity.current()
    return [(key, name) for key, name in _branches(session) if me is None or me.scope_for(queries.ADMINISTERS).covers(int(key))]


PEOPLE = lists.know(
    ListSpec(
        name="people",
        title=_l("People"),
        address="/settings/people",
        permission="staff.admin",
        rows=_rows,
        key=Staff.id,
        link=lambda person: f"/settings/people/{person.id}",
        labels=_labels,
        cells="staff/cells.html",
        columns=(
            Column("name", _l("Full name"), lambda p, _told: p.name, sort=Staff.name, width=200, card="title"),
            # Who is switched off stands behind everybody who may sign in.
            Column("username", _l("User name"), lambda p, _told: p.username, sort=func.concat(OFF, Staff.username), width=168),
            Column("roles", _l("Roles"), _roles, width=0),
            Column("roles_at", _l("Roles in one branch"), _roles_at, width=168, shown=False, card="off"),
            Column("branch", _l("Branch"), lambda p, told: told.name("branches", p.branch_id), sort=Staff.branch_id, width=168, card="quiet"),
            Column("department", _l("Department"), lambda p, told: told.name("units", p.department_id), sort=Staff.department_id, nullable=True, width=156, card="quiet"),
            Column("kind", _l("Is to the firm"), lambda p, _told: label("person", p.kind), sort=Staff.kind, width=132, shown=False, card="off"),
            Column("phone", _l("Phone number"), lambda p, _told: p.phone, "phone", width=148, shown=False, card="off"),
            Column("reach", _l("Sees"), lambda p, _told: label("reach", p.reach), sort=Staff.reach, width=148, card="quiet"),
            Column("state", _l("State"), lambda p, _told: str(_l("Active") if p.active else _l("Switched off")), "state", Staff.active, width=116),
        ),
        filters=(
            Filter("q", _l("Name or user name"), clause=_typed),
            Filter("role", _l("Role"), "choice", _holds, lambda session: [(name, label("role", name)) for name in queries.role_names(session)]),
            Filter("branch", _l("Branch"), "choice", lambda key: Staff.branch_id == int(key), _mine),
            Filter("kind", _l("Is to the firm"), "choice", lambda kind: Staff.kind == kind, lambda _session: [(kind, label("person", kind)) for kind in KINDS], more=True),
        ),
        sort="username",
        empty=Empty("users", _l("Nobody is here yet"), _l("The button at the top right lets the first one in.")),
    )
)
