"""What is kept of a list: columns of a person or a role, and saved views."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from service.core import audit, locks
from service.core.errors import Forbidden, Invalid, NotFound
from service.core.identity import Identity
from service.core.lists.model import ListSetting, SavedView
from service.core.lists.spec import Column, ListSpec

SHARE, DEFAULTS = "list.share", "staff.admin"
NARROWEST, WIDEST = 40, 900  # pixels
LONGEST = 60  # letters of a view's name
LONGEST_QUERY = 4000
MOST = 60  # views of one person in one list

Layout = Sequence[Mapping[str, Any]]
_roles: dict[str, Callable[[Session], Sequence[str]]] = {}


def roles_from(source: Callable[[Session], Sequence[str]]) -> None:
    """From now on an administrator chooses among the roles of `source`; called once, by wire()."""
    _roles["source"] = source


def roles(session: Session, person: Identity) -> Sequence[str]:
    """The roles with which the person may share a view, and for an administrator set the default."""
    return _roles["source"](session) if person.may(DEFAULTS) and "source" in _roles else person.roles


@dataclass(frozen=True)
class Kept:
    """What a person finds kept of a list: the layout that holds for them, whose it is (own, role or nothing), and the views they may open."""

    layout: Layout = ()
    whose: str = ""
    views: Sequence[SavedView] = ()

    @property
    def start(self) -> SavedView | None:
        """The view that the person chose to begin with."""
        return next((one for one in self.views if one.starts), None)

    def view(self, text: str) -> SavedView:
        """The view of that number. Raises NotFound when it is gone or not shared with the person."""
        found = next((one for one in self.views if str(one.id) == text), None)
        if found is None:
            raise NotFound(_("There is no such view any more, or it is not shared with you. Choose another one."))
        return found


def kept(session: Session, spec: ListSpec, person: Identity) -> Kept:
    """Two queries, whatever is kept."""
    mine = or_(ListSetting.staff_id == person.staff_id, ListSetting.role.in_(person.roles))
    settings = list(session.scalars(select(ListSetting).where(ListSetting.list_name == spec.name, mine)))
    settings.sort(key=lambda one: -1 if one.role is None else person.roles.index(one.role))
    views = session.scalars(select(SavedView).where(SavedView.list_name == spec.name, _open_to(person)).order_by(SavedView.name, SavedView.id)).all()
    # Another's view that starts, starts for its owner alone.
    own = [one if one.owner_id == person.staff_id else _of_another(session, one) for one in views]
    if not settings:
        return Kept(views=own)
    return Kept(settings[0].columns, settings[0].role or "own", own)


def _of_another(session: Session, view: SavedView) -> SavedView:
    session.expunge(view)
    view.starts = False
    return view


def _open_to(person: Identity) -> ColumnElement[bool]:
    return or_(
        SavedView.owner_id == person.staff_id,
        SavedView.shared_role.in_(person.roles),
        SavedView.shared_branch_id == person.branch_id,
    )


def arranged(spec: ListSpec, person: Identity, layout: Layout) -> tuple[Column, ...]:
    """The columns of a layout that the person may see and that there still are; without any, those of the list itself."""
    seen = {one.key: one for one in spec.seen_by(person)}
    found = [replace(seen[one["key"]], width=one.get("width", seen[one["key"]].width)) for one in layout if one.get("key") in seen]
    return tuple(found) or tuple(one for one in seen.values() if one.shown)


def read_layout(spec: ListSpec, person: Identity, text: str) -> list[dict[str, Any]]:
    """`name:160,number` as it is kept. Raises Invalid for columns that there are not."""
    seen = {one.key: one for one in spec.seen_by(person)}
    found: dict[str, dict[str, Any]] = {}
    for part in filter(None, text.split(",")):
        key, _colon, width = part.partition(":")
        if key not in seen or not (width == "" or (width.isascii() and width.isdigit() and len(width) < 5)):
            raise Invalid(_("This list has no column “%(name)s”. Load the page again and repeat the change.", name=part[:40]))
        found[key] = {"key": key} | ({"width": min(WIDEST, max(NARROWEST, int(width)))} if width else {})
    if not found:
        raise Invalid(_("At least one column has to be shown. Tick one."))
    return list(found.values())


def written(columns: Sequence[Column]) -> str:
    """The columns as `read_layout` reads them."""
    return ",".join(f"{one.key}:{one.width}" if one.width else one.key for one in columns)


def lay_out(session: Session, spec: ListSpec, text: str, *, role: str, by: Identity, at: datetime) -> None:
    """The person, or everybody of the role who has not chosen otherwise, sees these columns from now on; no text: as the list comes."""
    if role and not by.may(DEFAULTS):
        raise Forbidden(_("The default of a role is set by an administrator. Ask one, or keep the columns for yourself."), DEFAULTS)
    locks.hold(session, "list layout", f"{spec.name} {role or by.staff_id}")  # two quick drags come one after the other
    whose = ListSetting.role == role if role else ListSetting.staff_id == by.staff_id
    row = session.scalar(select(ListSetting).where(ListSetting.list_name == spec.name, whose).with_for_update())
    old, new = (row.columns if row else None), (read_layout(spec, by, text) if text else None)
    if row and new is None:
        session.delete(row)
    elif row and new is not None:
        row.columns, row.changed_at = new, at
    elif new is not None:
        session.add(ListSetting(list_name=spec.name, staff_id=None if role else by.staff_id, role=role or None, columns=new, changed_at=at))
    if role:
        audit.record(session, at=at, by=by.staff_id, verb="default columns", entity="list", entity_id=None,
                     old={"list": spec.name, "role": role, "columns": _told(old)}, new={"list": spec.name, "role": role, "columns": _told(new)}, branch_id=by.place)


def _told(layout: Layout | None) -> str | None:
    return None if layout is None else ", ".join(one["key"] for one in layout)


@dataclass(frozen=True)
class Shared:
    """Who else opens a view: a role, a branch, or nobody."""

    role: str | None = None
    branch_id: int | None = None


def shared_with(text: str, by: Identity) -> Shared:
    """`role:agent`, `branch` (one's own) or nothing. Raises Forbidden without the right to share."""
    if not text:
        return Shared()
    if not by.may(SHARE):
        raise Forbidden(_("Your roles may not share views. Keep it for yourself, or ask a supervisor to share it."), SHARE)
    kind, _colon, role = text.partition(":")
    if kind == "branch":
        return Shared(branch_id=by.branch_id)
    if kind != "role" or not (role in by.roles or by.may(DEFAULTS)):
        raise Invalid(_("Choose whom the view is shared with."))
    return Shared(role=role[:40])


def conditions(spec: ListSpec, query: str) -> str:
    """The parameters that a view keeps, without the place in the list. Raises Invalid when they are too many."""
    kept_ = [(name, value) for name, value in parse_qsl(query) if name in ("sort", "size", *spec.also, *(one.key for one in spec.filters))]
    text = urlencode(kept_)
    if len(text) > LONGEST_QUERY:
        raise Invalid(_("These conditions are too long to be saved. Shorten what was typed."))
    return text


def save_view(session: Session, spec: ListSpec, name: str, query: str, columns: str, shared: Shared, *, by: Identity, at: datetime) -> int:
    """The view is under that name in the person's list; returns its number."""
    row = SavedView(list_name=spec.name, name=_named(name), query=conditions(spec, query), columns=read_layout(spec, by, columns) if columns else [], owner_id=by.staff_id,
                    shared_role=shared.role, shared_branch_id=shared.branch_id, made_at=at)
    own = select(SavedView.id).where(SavedView.list_name == spec.name, SavedView.owner_id == by.staff_id)
    if len(session.scalars(own.limit(MOST)).all()) >= MOST:
        raise Invalid(_("You have %(count)s views of this list. Remove one first.", count=MOST))
    session.add(row)
    session.flush()
    _on_record(session, spec, row, "saved view", by, at)
    return row.id


def _named(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > LONGEST:
        refusal = _("A view needs a name of at most %(count)s letters.", count=LONGEST)
        raise Invalid(refusal, {"name": refusal})
    return text


def replace_view(session: Session, spec: ListSpec, view_id: int, query: str, columns: str, *, by: Identity, at: datetime) -> None:
    """The view keeps these conditions and columns instead of its old ones."""
    row = _own(session, spec, view_id, by)
    row.query, row.columns = conditions(spec, query), read_layout(spec, by, columns) if columns else []
    _on_record(session, spec, row, "changed view", by, at)


def remove_view(session: Session, spec: ListSpec, view_id: int, *, by: Identity, at: datetime) -> None:
    """The view is gone, for everybody."""
    row = _own(session, spec, view_id, by)
    _on_record(session, spec, row, "removed view", by, at)
    session.delete(row)


def start_with(session: Session, spec: ListSpec, view_id: int, *, by: Identity) -> None:
    """The person's list begins with that view of theirs; with the one that it begins with already, it begins as it comes."""
    row = _own(session, spec, view_id, by)
    starts = not row.starts
    session.execute(update(SavedView).where(SavedView.list_name == spec.name, SavedView.owner_id == by.staff_id).values(starts=False))
    session.execute(update(SavedView).where(SavedView.id == view_id).values(starts=starts))


def _own(session: Session, spec: ListSpec, view_id: int, by: Identity) -> SavedView:
    row = session.scalar(select(SavedView).where(SavedView.id == view_id, SavedView.list_name == spec.name, _open_to(by)).with_for_update())
    if row is None:
        raise NotFound(_("There is no such view any more, or it is not shared with you. Choose another one."))
    if row.owner_id != by.staff_id:
        raise Forbidden(_("This view is somebody else's. Save the list as a view of your own instead."))
    return row


def _on_record(session: Session, spec: ListSpec, row: SavedView, verb: str, by: Identity, at: datetime) -> None:
    """Only what others see is worth a line."""
    if row.shared_role or row.shared_branch_id:
        new = {"list": spec.name, "name": row.name, "query": row.query, "role": row.shared_role, "branch": row.shared_branch_id}
        audit.record(session, at=at, by=by.staff_id, verb=verb, entity="list", entity_id=row.id, new=new, branch_id=by.place)

