"""What a stored value of the audit reads as: a name instead of a number, words instead of a code."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core.lists.spec import KNOWN
from service.core.model import AuditEntry
from service.core.pages import called, label
from service.devices import queries as devices
from service.parties import queries as parties
from service.sites import queries as sites
from service.staff import queries as staff
from service.tickets import queries as tickets

Names = Mapping[str, Mapping[int, str]]

# Fields that hold the number of another thing; what hangs below one of its own kind is told by the entity.
REFERS: Mapping[str, str] = {
    **dict.fromkeys(("responsible_id", "inspector_id", "head_id", "leader_id", "assignee_id", "staff_id", "members"), "staff"),
    **dict.fromkeys(("branch_id", "responsible_branch_id"), "branch"),
    **dict.fromkeys(("device_id", "old_device_id", "new_device_id"), "device"),
    **dict.fromkeys(("site_id", "sites"), "site"),
    "department_id": "department", "party_id": "party", "product_id": "product", "ticket_id": "ticket", "project_id": "project", "region_id": "region",
}  # fmt: skip
OWN_KIND = ("branch", "department", "region", "product_category", "party_category")  # their `parent_id` is one of theirs
CATEGORY: Mapping[str, str] = {"product": "product_category", "party": "party_category"}
# Codes, by the entity and the field, with the table of words that has them; "" stands for every entity.
CODES: Mapping[tuple[str, str], str] = {
    ("", "reach"): "reach", ("", "role"): "role", ("staff", "roles"): "role", ("staff", "kind"): "person", ("branch", "kind"): "branch", ("device_swap", "kind"): "swap",
    ("party", "kind"): "party_kind", ("party", "roles"): "party_role", ("party", "state"): "party_state", ("party", "grade"): "grade", ("party", "settlement"): "settlement",
    ("device", "state"): "device", ("ticket", "state"): "state", ("ticket", "priority"): "priority", ("ticket", "type"): "type", ("ticket", "channel"): "channel",
    ("call", "reason"): "about", ("call", "state"): "consent", ("maintenance_plan", "state"): "plan",
}  # fmt: skip
TIMING: Mapping[str, LazyString] = {"monthly": _l("each month, on a day"), "interval": _l("every so many days")}
JOBS: Mapping[str, LazyString] = {
    "night": _l("The night run"),
    "recordings.daily": _l("Daily care of recordings"),
    "recordings.destroy": _l("Destruction of audio"),
    "maintenance.remind": _l("Maintenance reminders"),
    "doctor": _l("Examination of the switches"),
    "search.rebuild": _l("Rebuild of the search"),
    "imports.check": _l("Check of an import"),
    "imports.load": _l("Load of an import"),
    "imports.undo": _l("Undoing of an import"),
}
WHY: Mapping[str, LazyString] = {
    "password": _l("wrong password"),
    "unknown": _l("nobody has this name"),
    "off": _l("switched off"),
    "locked": _l("too many attempts"),
    "code": _l("no code, or a wrong one"),
    "passkey": _l("passkey does not fit"),
    "address": _l("outside the role's addresses"),
    "factor": _l("no second factor, which a role demands"),
    "token": _l("wrong set-up address"),
}
SPOKEN: Mapping[tuple[str, str], Mapping[str, LazyString]] = {("", "why"): WHY, ("job", "name"): JOBS, ("maintenance_plan", "timing"): TIMING}
_NUMBERS = re.compile(r"\d{1,18}")
_HELD_AT = re.compile(r"([^,]+?) @(\d{1,18})")


def names(session: Session, rows: Sequence[AuditEntry]) -> Names:
    """The names of all that these lines point to and the reader may see; a question for each kind of thing, and none for a kind that is not there."""
    wanted: dict[str, set[int]] = {"staff": {row.by_id for row in rows if row.by_id}}
    for row in rows:
        if row.entity_id:
            wanted.setdefault(row.entity, set()).add(row.entity_id)
        for name, value in [*_fields(row.old), *_fields(row.new)]:
            wanted.setdefault(_kind(row.entity, name), set()).update(_ids(value))
            wanted.setdefault("branch", set()).update(int(number) for _role, number in _HELD_AT.findall(str(value)) if name == "roles_at")
    return {kind: found(session, wanted[kind]) for kind, found in FOUND.items() if wanted.get(kind)}


def said(entry: AuditEntry, name: str, value: Any, known: Names) -> Any:
    """The value as a person says it; what nobody has words for stands as it is kept."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    kind = _kind(entry.entity, name)
    if kind:
        return str(_(", ")).join(known.get(kind, {}).get(one, str(one)) for one in _ids(value)) or value
    return _coded(entry.entity, name, value, known) if isinstance(value, str) else value


def thing(entry: AuditEntry, known: Names) -> str:
    """The name of what the line is about; its number when it has none."""
    return known.get(entry.entity, {}).get(entry.entity_id or 0, str(entry.entity_id or ""))


def _coded(entity: str, name: str, value: str, known: Names) -> str:
    if (entity, name) == ("role", "permissions") or name == "permission":
        return str(_(", ")).join(str(words) for words in staff.spoken(value.split(", ")))
    if (entity, name) == ("list", "list"):
        return str(KNOWN[value].title) if value in KNOWN else value
    if name == "roles_at":
        told = ((label("role", role.strip()), known.get("branch", {}).get(int(number), number)) for role, number in _HELD_AT.findall(value))
        return str(_(", ")).join(_("%(role)s in %(branch)s", role=role, branch=branch) for role, branch in told) or value
    for place in ((entity, name), ("", name)):
        if place in SPOKEN:
            return str(SPOKEN[place].get(value, value))
        if place in CODES:
            return str(_(", ")).join(label(CODES[place], one) for one in value.split(", "))
    return value


def _kind(entity: str, name: str) -> str:
    if name == "parent_id":
        return entity if entity in OWN_KIND else ""
    return CATEGORY.get(entity, "") if name == "category_id" else REFERS.get(name, "")


def _fields(values: Any) -> Iterable[tuple[str, Any]]:
    return values.items() if isinstance(values, dict) else ()


def _ids(value: Any) -> list[int]:
    return [] if isinstance(value, bool) else [int(number) for number in _NUMBERS.findall(str(value))]


FOUND: Mapping[str, Callable[[Session, set[int]], Mapping[int, str]]] = {
    "staff": lambda session, _ids: staff.names(session),
    "branch": lambda session, _ids: {key: called(row) for key, row in staff.branches(session).items()},
    "department": lambda session, _ids: {key: called(row) for key, row in staff.departments(session).items()},
    "role": lambda session, _ids: {key: label("role", name) for key, name in staff.roles_by_id(session).items()},
    "party": parties.names,
    "party_category": lambda session, _ids: parties.category_names(session),
    "device": lambda session, ids: {key: row.code for key, row in devices.by_ids(session, ids).items()},
    "product": lambda session, ids: {key: row.name for key, row in catalogue.by_ids(session, ids).items()},
    "product_category": lambda session, _ids: {node.id: node.name for node in catalogue.tree(session)},
    "site": lambda session, ids: {key: row.name for key, row in sites.sites_by_id(session, ids).items()},
    "project": sites.project_names,
    "region": lambda session, _ids: {row.id: row.name for row in sites.regions(session)},
    "ticket": tickets.numbers,
}
