"""Branches are opened, changed, closed; the tree stays a tree, and nothing that lives is left without its branch."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.core import audit, locks, phone
from service.core.errors import DeskError, Invalid, NotFound
from service.staff import edits, rules
from service.staff.model import Branch, Staff

KINDS = ("headquarters", "region", "branch", "agent")
CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,11}")
LONGEST = {"name": 60, "name_en": 60, "region": 60, "hotline": 40, "address": 200}


class StillUsed(DeskError):
    """Something that lives hangs on it."""


@dataclass(frozen=True)
class Facts:
    """A branch as a form describes it."""

    code: str
    name: str
    name_en: str = ""
    kind: str = "branch"
    parent_id: int | None = None
    region: str = ""
    hotline: str = ""
    address: str = ""
    active: bool = True


def create(session: Session, facts: Facts, *, by: int, at: datetime) -> int:
    """The branch is there: people, customers and lines can belong to it."""
    locks.hold(session, "branches", "")
    _check(session, facts, None)
    row = Branch(**asdict(facts))
    session.add(row)
    session.flush()
    audit.record(session, at=at, by=by, verb="created", entity="branch", entity_id=row.id, new=asdict(facts), branch_id=row.id)
    return row.id


def change(session: Session, branch_id: int, facts: Facts, *, version: int, by: int, at: datetime) -> None:
    """The branch is as described. Raises Overtaken when somebody saved it meanwhile."""
    locks.hold(session, "branches", "")
    row = _row(session, branch_id)
    before = described(row)
    edits.check(row.version, version, asdict(before), asdict(facts))
    _check(session, facts, branch_id)
    if before.active and not facts.active:
        _unused(session, row)
    old, new = edits.changed(asdict(before), asdict(facts))
    for name, value in new.items():
        setattr(row, name, value)
    if new:
        row.version += 1
        audit.record(session, at=at, by=by, verb="changed", entity="branch", entity_id=row.id, old=old, new=new, branch_id=row.id)
    session.flush()


def described(row: Branch) -> Facts:
    """The branch as its form shows it."""
    return Facts(**{name: getattr(row, name) for name in Facts.__dataclass_fields__})


def _row(session: Session, branch_id: int) -> Branch:
    row = session.get(Branch, branch_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such branch. Look for it in the list of branches."))
    return row


def _check(session: Session, facts: Facts, branch_id: int | None) -> None:
    """Raises Invalid with a sentence for each field that cannot be taken."""
    wrong: dict[str, str] = {}
    parents = {row.id: row.parent_id for row in session.execute(select(Branch.id, Branch.parent_id))}
    if not CODE.fullmatch(facts.code):
        wrong["code"] = _("One to twelve capital letters, digits or dashes.")
    elif session.scalars(select(Branch.id).where(Branch.code == facts.code, Branch.id != (branch_id or 0))).first():
        wrong["code"] = _("Another branch has this code.")
    if not facts.name:
        wrong["name"] = _("Type the branch's name.")
    wrong |= {n: _("At most %(count)s letters.", count=most) for n, most in LONGEST.items() if len(str(getattr(facts, n))) > most}
    before = session.get(Branch, branch_id) if branch_id else None
    if facts.hotline and (before is None or facts.hotline != before.hotline) and not phone.is_written(facts.hotline):
        wrong["hotline"] = _("Type a phone number.")
    if facts.kind not in KINDS:
        wrong["kind"] = _("Choose what it is.")
    wrong |= _place(session, facts, branch_id, parents)
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _place(session: Session, facts: Facts, branch_id: int | None, parents: Mapping[int, int | None]) -> dict[str, str]:
    """What is wrong with where it hangs."""
    if facts.parent_id is None:
        tops = {number for number, parent in parents.items() if parent is None}
        fine = facts.kind == "headquarters" and not tops - {branch_id}
        return {} if fine else {"parent_id": _("Choose the branch above it; only the headquarters has none.")}
    if facts.kind == "headquarters":
        return {"kind": _("The headquarters has no branch above it.")}
    above, wrong = session.get(Branch, facts.parent_id), ""
    if above is None:
        wrong = _("Choose the branch above it.")
    elif branch_id is not None and facts.parent_id in rules.below(branch_id, parents):
        wrong = _("%(name)s is this branch itself or hangs below it. Choose another.", name=above.name)
    elif facts.active and not above.active:
        wrong = _("%(name)s is closed. Choose a branch that is open.", name=above.name)
    return {"parent_id": wrong} if wrong else {}


def _unused(session: Session, row: Branch) -> None:
    """Raises StillUsed while people or open branches belong to it."""
    people = session.scalar(select(func.count()).select_from(Staff).where(Staff.branch_id == row.id, Staff.active)) or 0
    children = session.scalars(select(Branch.name).where(Branch.parent_id == row.id, Branch.active).order_by(Branch.code)).all()
    if row.parent_id is None:
        raise StillUsed(_("The headquarters cannot be closed."))
    if people:
        raise StillUsed(
            ngettext(
                "%(num)s person of %(name)s can still sign in. Move them to another branch or switch them off first.",
                "%(num)s people of %(name)s can still sign in. Move them to another branch or switch them off first.",
                people, name=row.name,
            )
        )
    if children:
        raise StillUsed(_("Below it %(names)s are open. Close them or hang them elsewhere first.", names=", ".join(children)))
