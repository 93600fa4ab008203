"""The tree of categories: a name in its place; what is in use stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.core import audit
from service.core.errors import DeskError, Invalid, NotFound
from service.parties import rules
from service.parties.model import Party, PartyCategory

SIDES = ("customer", "vendor")
DEEPEST = 4


@dataclass(frozen=True)
class Node:
    """A category as a tree shows it: how deep it stands, and how many parties it holds."""

    id: int
    side: str
    name: str
    parent_id: int | None
    usual: bool
    depth: int
    parties: int = 0

    @property
    def indented(self) -> str:
        """The name as a list of choices shows its depth."""
        return "\u3000" * self.depth + self.name


class CategoryInUse(DeskError):
    """Parties or other categories stand in it."""


def tree(session: Session, side: str) -> list[Node]:
    """The categories of that side, each below the one it belongs to."""
    rows = session.scalars(select(PartyCategory).where(PartyCategory.side == side).order_by(PartyCategory.position, PartyCategory.id)).all()
    return list(_below(rows, None, 0))


def _below(rows: Sequence[PartyCategory], parent: int | None, depth: int) -> list[Node]:
    found = []
    for row in (row for row in rows if row.parent_id == parent):
        found.append(Node(row.id, row.side, row.name, row.parent_id, row.usual, depth))
        found += _below(rows, row.id, depth + 1)
    return found


def counts(session: Session) -> dict[int, int]:
    """How many parties of the reader's branches stand in each category or below it: as many as the list of it shows."""
    found: dict[int, int] = {}
    for column in (Party.category_id, Party.vendor_category_id):
        rows = select(column, func.count()).where(column.is_not(None), Party.state != "merged").group_by(column)
        for category_id, many in session.execute(rows):
            found[category_id or 0] = found.get(category_id or 0, 0) + many
    for side in SIDES:
        for node in reversed(tree(session, side)):  # a child stands behind its parent
            if node.parent_id and node.id in found:
                found[node.parent_id] = found.get(node.parent_id, 0) + found[node.id]
    return found


def add(session: Session, side: str, name: str, parent_id: int | None, *, by: int, at: datetime) -> int:
    """The category stands at the end of its parent; the first of a side is the usual one."""
    if side not in SIDES:
        raise Invalid(_("Choose customers or suppliers."))
    nodes = tree(session, side)
    parent = next((node for node in nodes if node.id == parent_id), None)
    if parent_id and parent is None:
        raise NotFound(_("This category is gone. Load the page again."))
    if parent is not None and parent.depth + 1 >= DEEPEST:
        raise Invalid(_("At most %(count)s levels. Put it one level higher.", count=DEEPEST), {"name": _("Too deep.")})
    last = session.scalars(select(func.max(PartyCategory.position)).where(PartyCategory.side == side)).first() or 0
    made = PartyCategory(side=side, name=_name(session, side, parent_id, name), parent_id=parent_id, position=last + 1, usual=not nodes)
    session.add(made)
    session.flush()
    _record(session, made, "created", {}, {"name": made.name, "parent": parent.name if parent else ""}, by, at)
    return made.id


def rename(session: Session, category_id: int, name: str, *, by: int, at: datetime) -> None:
    """The category has this name."""
    found = _found(session, category_id)
    wanted = _name(session, found.side, found.parent_id, name, but=found.id)
    if wanted != found.name:
        _record(session, found, "changed", {"name": found.name}, {"name": wanted}, by, at)
        found.name = wanted


def make_usual(session: Session, category_id: int, *, by: int, at: datetime) -> None:
    """New parties get this category when nobody chooses another."""
    found = _found(session, category_id)
    for other in session.scalars(select(PartyCategory).where(PartyCategory.side == found.side, PartyCategory.usual)).all():
        other.usual = False
    session.flush()
    found.usual = True
    _record(session, found, "changed", {}, {"usual": found.name}, by, at)


def remove(session: Session, category_id: int, *, by: int, at: datetime) -> None:
    """The category is gone, unless parties or other categories stand in it."""
    found = _found(session, category_id)
    name = found.name
    if session.scalars(select(PartyCategory.id).where(PartyCategory.parent_id == found.id)).first():
        raise CategoryInUse(_("“%(name)s” has categories below it. Move or delete those first.", name=name))
    try:
        with session.begin_nested():
            session.delete(found)
            session.flush()
    except IntegrityError as error:
        refusal = _("“%(name)s” is in use. Give its customers another category first.", name=name)
        raise CategoryInUse(refusal) from error
    audit.record(session, at=at, by=by, verb="deleted", entity="party_category", entity_id=category_id, old={"name": name})


def _found(session: Session, category_id: int) -> PartyCategory:
    found = session.get(PartyCategory, category_id, with_for_update=True)
    if found is None:
        raise NotFound(_("This category is gone. Load the page again."))
    return found


def _name(session: Session, side: str, parent_id: int | None, typed: str, but: int | None = None) -> str:
    name = rules.clean(typed)
    refusal = ""
    if not name:
        refusal = _("Give the category a name.")
    elif len(name) > 60:
        refusal = _("At most %(count)s letters; this has %(found)s.", count=60, found=len(name))
    elif any(node.name == name and node.parent_id == parent_id and node.id != but for node in tree(session, side)):
        refusal = _("There is a category “%(name)s” here already.", name=name)
    if refusal:
        raise Invalid(refusal, {"name": refusal})
    return name


def _record(
    session: Session, row: PartyCategory, verb: str, old: dict[str, object], new: dict[str, object], by: int, at: datetime
) -> None:
    audit.record(session, at=at, by=by, verb=verb, entity="party_category", entity_id=row.id, old=old or None, new=new)
