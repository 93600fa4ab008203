"""What a table of people means. Whoever comes this way cannot sign in until a password is given, on the page of the import."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import audit, locks, phone
from service.core.intake import sql
from service.core.intake.target import Field, Into, Made, Row, Values
from service.core.intake.values import folded
from service.core.scope import Scope
from service.staff import people, queries, rules
from service.staff.grants import Firm, Held, Holder, grants
from service.staff.keys import Keys, too_strong
from service.staff.model import Branch, Role, Staff
from service.staff.security import passwords

ROLES = {
    "agent": (_l("Agent"), "Agent", "坐席"), "supervisor": (_l("Supervisor"), "Supervisor", "班长", "主管"), "technician": (_l("Technician"), "Technician", "技术员", "工程师"),
    "finance": (_l("Finance"), "Finance", "财务"), "manager": (_l("Manager"), "Manager", "经理"), "admin": (_l("Administrator"), "Administrator", "管理员"),
}
REACHES = {"branch": (_l("Own branch"), "Own branch", "本网点"), "below": (_l("Branch and below"), "Branch and below", "本网点及下级"), "all": (_l("All branches"), "All branches", "全部网点", "所有网点")}
FIELDS = (
    Field("username", _l("User name"), "code", must=True, longest=40, also=("User name", "用户名", "账号", "登录名", "工号", "username", "login"), example="li.lei"),
    Field("name", _l("Full name"), must=True, longest=100, also=("Full name", "姓名", "员工姓名", "name"), example="李雷"),
    Field("roles", _l("Roles"), "choices", must=True, also=("Roles", "角色", "岗位", "role"), choices=ROLES, example="坐席；技术员", note=_l("Several with a semicolon between them.")),
    Field("branch", _l("Branch"), also=("Branch", "网点", "所属网点", "分公司", "部门"), example="", note=_l("Its name or code; empty for the branch of the import.")),
    Field("reach", _l("Sees"), "choice", also=("Sees", "可见范围", "数据范围", "reach"), choices=REACHES, example="本网点"),
    Field("phone", _l("Phone number"), "code", longest=40, also=("Phone number", "电话", "手机", "手机号", "联系电话", "phone", "mobile"), example="13812341001"),
)
SENTENCES = {
    "username": _l("A user name has two to forty small letters, digits, dots, dashes."),
    "branch_unknown": _l("There is no branch of this name or code within your reach. Correct it or leave it empty."),
    "elsewhere": _l("This user name belongs to somebody of another branch. Ask an administrator of the firm."),
    "role_gone": _l("One of these roles is not given any more. Choose among those of the page of roles."),
    "phone": _l("Type a phone number."),
    "stronger": _l("This person sees or does more than you do. Ask an administrator of the firm."),
    "too_much": _l("This would let the person see or do more than you may hand out. Ask an administrator of the firm."),
}
TYPES = {"username": "text", "email": "text", "active": "boolean", "fs_uniquifier": "text", "name": "text", "branch_id": "bigint", "reach": "text", "phone": "text"}
_GRANT = text("insert into staff_role (staff_id, role_id) select g.staff_id, r.id from jsonb_to_recordset(cast(:rows as jsonb)) as g(staff_id integer, role text) join role r on r.name = g.role")


class FirstPasswords:
    """Passwords for those who came by an import."""

    most = 50  # at once, since each takes a while to be hashed

    def waiting(self, session: Session, ids: Sequence[int]) -> int:
        """How many of them have no password yet."""
        return len(session.scalars(select(Staff.id).where(Staff.id.in_(ids), Staff.password.is_(None))).all())

    def give(self, session: Session, ids: Sequence[int], into: Into) -> list[tuple[str, str, str]]:
        """The next of those without a password have one: name, user name, password, told this once and kept nowhere."""
        waiting = select(Staff.id).where(Staff.id.in_(ids), Staff.password.is_(None)).order_by(Staff.id)
        keys, told, stronger = Keys.of(session, into.by, Scope(into.branches)), [], 0
        for staff_id in session.scalars(waiting).all():
            row = session.get_one(Staff, staff_id, with_for_update=True, populate_existing=True)
            if row.password is not None:
                continue
            if not keys.fit(queries.identity_of(session, row).grants):  # they were given more since they came
                stronger += 1
                continue
            password = secrets.token_urlsafe(9)
            passwords.take(session, row, password, at=into.at, must_change=True)
            told.append((row.name, row.username, password))
            audit.record(session, at=into.at, by=into.by, verb="password given", entity="staff", entity_id=row.id, branch_id=row.branch_id)
            if len(told) == self.most:
                break
        if stronger and not told:
            raise too_strong()
        return told


@dataclass(frozen=True)
class Users:
    """People who will sign in."""

    name: str = "users"
    permission: str = queries.ADMINISTERS
    icon: str = "users"
    title: Any = _l("People")
    fields: tuple[Field, ...] = FIELDS
    tables: tuple[str, ...] = ("staff",)
    clears: tuple[tuple[str, str], ...] = (("staff_role", "staff_id"),)
    issue: FirstPasswords = field(default_factory=FirstPasswords)
    address: str = "/settings/people/{id}"
    sentences: Mapping[str, Any] = field(default_factory=lambda: SENTENCES)

    def now(self, session: Session) -> "Users":
        """With the roles that can be given: those that every firm begins with, and those that this one made."""
        return replace(self, fields=tuple(replace(one, choices=_roles(session)) if one.name == "roles" else one for one in self.fields))

    def key(self, values: Values) -> str:
        """The user name."""
        return folded(values.get("username") or "")

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """By user name."""
        branches, names = _branches(session), {branch.id: branch.name for branch in session.scalars(select(Branch))}
        known = {one.username: one for one in session.scalars(select(Staff).where(Staff.username.in_([_username(row.values) for row in rows])))}
        limits, roles = _Limits.of(session, into), _roles(session)
        for row in rows:
            person = known.get(_username(row.values))
            row.entity_id = person.id if person else None
            if row.values.get("username") and not people.USERNAME.fullmatch(_username(row.values)):
                row.refuse("username", "username")
            branch = branches.get(folded(row.values.get("branch") or ""))
            if row.values.get("branch") and (branch is None or not into.covers(branch)):
                row.refuse("branch", "branch_unknown")
            row.leads["branch"] = branch or into.branch_id
            row.values |= {"branch": names[branch]} if branch else {}
            if not set(row.values.get("roles") or ()) <= roles.keys():
                row.refuse("roles", "role_gone")
            if row.values.get("phone") and not phone.is_written(row.values["phone"]):
                row.refuse("phone", "phone")
            if person and not into.covers(person.branch_id):
                row.refuse("username", "elsewhere")
            elif limits and person and limits.stronger(session, person, into.by):
                row.refuse("username", "stronger")
            elif limits and not row.wrong and limits.passed(row, person):
                row.refuse("roles", "too_much")

    def current(self, session: Session, asked: Mapping[int, Values]) -> dict[int, Values]:
        """People in a row's values."""
        branches = {branch.id: branch.name for branch in session.scalars(select(Branch))}
        rows = session.scalars(select(Staff).where(Staff.id.in_(asked)))
        return {one.id: {"username": one.username, "name": one.name, "roles": sorted(role.name for role in one.roles), "branch": branches[one.branch_id], "reach": one.reach, "phone": one.phone} for one in rows}

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The people exist with their roles and without a password."""
        locks.hold(session, "people", "")
        given = [
            {"username": _username(row.values), "email": f"{_username(row.values)}@localhost.invalid", "active": True, "fs_uniquifier": secrets.token_hex(16),
             "name": row.values["name"], "branch_id": row.leads["branch"], "reach": _reach(row), "phone": row.values.get("phone") or ""}
            for row in rows
        ]
        ids = {row.username: row.id for row in sql.insert(session, "staff", TYPES, given, told="id, username", conflict="on conflict do nothing")}
        placed = [ids.get(str(one["username"])) for one in given]
        _grant(session, {staff_id: row.values["roles"] for staff_id, row in zip(placed, rows, strict=True) if staff_id})
        for staff_id, one, row in zip(placed, given, rows, strict=True):
            if staff_id:
                told = {name: one[name] for name in ("username", "name", "branch_id", "reach", "phone")} | {"roles": ", ".join(row.values["roles"])}
                audit.record(session, at=into.at, by=into.by, verb="created", entity="staff", entity_id=staff_id, new=told, branch_id=row.leads["branch"])
        return [Made(staff_id, {"staff": [staff_id]}) if staff_id else None for staff_id in placed]

    def update(self, session: Session, changes: Mapping[int, Values], into: Into, asked: Mapping[int, Values]) -> dict[int, dict[str, list[int]]]:
        """Name, reach, branch and roles are set by the same rules as on the page of a person."""
        branches = _branches(session)
        for staff_id, values in changes.items():
            before = people.person(session, staff_id)
            # What no table tells, such as the department and the roles of one branch, stays as it was.
            branch_id = branches.get(folded(values.get("branch", "")), before.branch_id)
            who = replace(
                before, name=values.get("name", before.name), roles=tuple(values.get("roles", before.roles)), branch_id=branch_id,
                reach=values.get("reach", before.reach), phone=values.get("phone", before.phone), department_id=before.department_id if branch_id == before.branch_id else None,
            )
            people.change(session, staff_id, who, by=into.by, at=into.at, within=Scope(into.branches))
        return {staff_id: {} for staff_id in changes}

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """People are in no index."""

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """People are in no index."""
        return lambda: None


TARGETS = (Users(),)


@dataclass(frozen=True)
class _Limits:
    """How far somebody who administers some branches may let others see."""

    keys: Keys
    plan: Firm
    roles: Mapping[str, Held]

    @classmethod
    def of(cls, session: Session, into: Into) -> "_Limits | None":
        """None for who administers all branches."""
        if into.branches is None:
            return None
        shipped = {name: Held(codes) for name, codes in rules.PERMISSIONS.items()}
        held = {role.name: Held(frozenset(role.permissions or ()), role.reach) for role in session.scalars(select(Role))}
        return cls(Keys.of(session, into.by, Scope(into.branches)), queries.firm(session), shipped | held)

    def stronger(self, session: Session, person: Staff, by: int) -> bool:
        """True when somebody else holds more than whoever brings the table."""
        return person.id != by and not self.keys.fit(queries.identity_of(session, person).grants)

    def passed(self, row: Row, person: Staff | None) -> bool:
        """True when the row asks for more than that."""
        reach = row.values.get("reach") or (person.reach if person else _reach(row))
        holder = Holder(person.id if person else 0, row.leads["branch"], reach, person.department_id if person else None)
        return not self.keys.fit(grants(holder, [self.roles[name] for name in row.values.get("roles") or ()], self.plan))


def _reach(row: Row) -> str:
    """How far the person of the row sees: as it says, or as the first of the roles does."""
    return str(row.values.get("reach") or rules.REACH.get((row.values.get("roles") or [""])[0], "branch"))


def _roles(session: Session) -> dict[str, tuple[Any, ...]]:
    """Each role that can be given, with the words that mean it; a firm's own is called as its page says."""
    rows = {role.name: role.active for role in session.scalars(select(Role).order_by(Role.id))}
    return {name: ROLES.get(name, (name,)) for name in (*ROLES, *rows) if rows.get(name, True)}


def _username(values: Values) -> str:
    return str(values.get("username") or "").lower()


def _branches(session: Session) -> dict[str, int]:
    return {folded(word): branch.id for branch in session.scalars(select(Branch)) for word in (branch.name_en, branch.name, branch.code) if word}


def _grant(session: Session, roles: Mapping[int, Sequence[str]]) -> None:
    for name in {name for names in roles.values() for name in names}:
        if session.scalars(select(Role.id).where(Role.name == name)).first() is None:
            session.add(Role(name=name, permissions=sorted(rules.PERMISSIONS[name])))
    session.flush()
    session.execute(_GRANT, {"rows": json.dumps([{"staff_id": staff_id, "role": name} for staff_id, names in roles.items() for name in names])})
