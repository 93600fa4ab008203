"""The audit as a list: nobody can change it, everybody with the right can narrow it."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.core import lists, masking
from service.core.lists import Column, Empty, Filter, ListSpec, Told
from service.core.model import AuditEntry
from service.reports.history import words
from service.staff import queries as staff

CHANGES = ("change", "settings", "security", "signin")  # refusals and jobs stand in the system log


def _rows(_session: Session, _wanted: Mapping[str, Any]) -> Select[Any]:
    return select(AuditEntry).where(AuditEntry.kind.in_(CHANGES))


def _labels(session: Session, _rows: Sequence[AuditEntry], _wanted: Mapping[str, Any]) -> lists.Labels:
    return {"people": staff.names(session)}


def _who(entry: AuditEntry, told: Told) -> str:
    return _("The program") if entry.by_id is None else told.name("people", entry.by_id, str(entry.by_id))


def _what(entry: AuditEntry, _told: Told) -> str:
    return f"{words.ENTITIES.get(entry.entity, entry.entity)} {entry.entity_id or ''}".strip()


def _said(told: Told, name: str, value: object) -> object:
    """A number or a mail address in the audit is as covered as anywhere else."""
    if name in ("phone", "raw", "number", "fax") and isinstance(value, str):
        return masking.shown_trace(told.person, value)
    return masking.shown_mail(told.person, str(value)) if name in ("email", "mail") and value else value


def _change(entry: AuditEntry, told: Told) -> str:
    lines = ((name, None if old is None else _said(told, name, old), None if new is None else _said(told, name, new)) for name, old, new in words.told(entry))
    return " · ".join(f"{words.field(name)}: {'' if old is None else f'{old} → '}{'—' if new is None else new}" for name, old, new in lines)


AUDIT = lists.know(
    ListSpec(
        name="audit",
        title=_l("Audit"),
        address="/settings/audit",
        permission="audit.read",
        rows=_rows,
        key=AuditEntry.id,
        labels=_labels,
        cells="reports/cells.html",
        columns=(
            Column("at", _l("At"), lambda entry, _told: entry.at, "moment", AuditEntry.at, width=124),
            Column("who", _l("Who"), _who, sort=AuditEntry.by_id, nullable=True, width=116),
            Column("verb", _l("Did what"), lambda entry, _told: str(words.VERBS.get(entry.verb, entry.verb)), width=168, card="title"),
            Column("thing", _l("To what"), _what, width=160),
            Column("change", _l("Before and after"), _change, width=0, wraps=True),
            Column("address", _l("From where"), lambda entry, _told: entry.address, width=128, card="quiet"),
        ),
        filters=(
            Filter("id", _l("Number of the thing"), "number", lambda key: AuditEntry.entity_id == key, form=False),
            Filter("who", _l("Who"), "choice", lambda who: AuditEntry.by_id == int(who), lambda session: [(str(key), name) for key, name in sorted(staff.names(session).items(), key=lambda one: one[1])]),
            Filter("verb", _l("Did what"), "choice", lambda verb: AuditEntry.verb == verb, lambda _session: list(words.VERBS.items())),
            Filter("entity", _l("To what"), "choice", lambda entity: AuditEntry.entity == entity, lambda _session: list(words.ENTITIES.items())),
            *lists.days("at", _l("Day"), AuditEntry.at, since="since", until="until"),
        ),
        sort="-at",
        empty=Empty("history", _l("Nothing is on record yet"), _l("Each change of people, customers, calls and settings stands here.")),
    )
)
