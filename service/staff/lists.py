"""The list of people."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from service.core import lists, scope
from service.core.lists import Column, Empty, Filter, ListSpec
from service.staff import queries
from service.staff.grants import Held
from service.staff.model import Branch, Department, Role, Staff, staff_role

OFF = case((Staff.active, "0"), else_="1")


def _typed(words: str) -> ColumnElement[bool]:
    return Staff.name.icontains(words, autoescape=True) | Staff.username.contains(words.lower(), autoescape=True)


def _branch(branch: Branch | Department) -> str:
    return branch.name_en or branch.name if str(get_locale()) == "en" else branch.name


def _labels(session: Session, rows: Sequence[Staff], _wanted: Mapping[str, Any]) -> lists.Labels:
    branches = {key: _branch(branch) for key, branch in queries.branches(session).items()}
    held = queries.roles_of(session, [row.id for row in rows])
    return {
        "branches": branches,
        "departments": {key: _branch(unit) for key, unit in queries.departments(session).items()},
        "roles": {key: " · ".join(_role(one, branches) for one in several) for key, several in held.items()},
    }


def _role(held: Held, branches: Mapping[int, str]) -> str:
    """The role, and the branch when it holds there alone."""
    return _word("role", held.name) + (f" ({branches.get(held.branch_id, '')})" if held.branch_id else "")


def _holds(name: str) -> ColumnElement[bool]:
    """The person has the role, everywhere or in one branch."""
    link = staff_role.c
    return Staff.id.in_(select(link.staff_id).join(Role, Role.id == link.role_id).where(Role.name == name))


def _word(table: str, code: str) -> str:
    return str(current_app.jinja_env.globals["label"](table, code))  # type: ignore[operator]


def _branches(session: Session) -> list[tuple[str, Any]]:
    return [(str(key), _branch(branch)) for key, branch in queries.branches(session).items()]


def _rows(session: Session, _wanted: Mapping[str, Any]) -> Select[Any]:
    """Who administers some branches sees the people of these; staff have no policy in the database, signing in needs them all."""
    within = scope.of(session).branches
    return select(Staff) if within is None else select(Staff).where(Staff.branch_id.in_(within))


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
            Column("roles", _l("Roles"), lambda p, told: told.name("roles", p.id), width=0),
            Column("branch", _l("Branch"), lambda p, told: told.name("branches", p.branch_id), sort=Staff.branch_id, width=168, card="quiet"),
            Column("department", _l("Department"), lambda p, told: told.name("departments", p.department_id), width=148, card="quiet"),
            Column("reach", _l("Sees"), lambda p, _told: _word("reach", p.reach), sort=Staff.reach, width=148, card="quiet"),
            Column("state", _l("State"), lambda p, _told: str(_l("Active") if p.active else _l("Switched off")), "state", Staff.active, width=116),
        ),
        filters=(
            Filter("q", _l("Name or user name"), clause=_typed),
            Filter("role", _l("Role"), "choice", _holds, lambda session: [(name, _word("role", name)) for name in queries.role_names(session)]),
            Filter("branch", _l("Branch"), "choice", lambda key: Staff.branch_id == int(key), _branches),
        ),
        sort="username",
        empty=Empty("users", _l("Nobody is here yet"), _l("The button at the top right lets the first one in.")),
    )
)
