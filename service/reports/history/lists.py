"""The audit as a list: nobody can change it, everybody with the right can narrow it."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.core import lists, masking
from service.core.audit import KINDS
from service.core.identity import Identity
from service.core.lists import Column, Empty, Filter, ListSpec, Told
from service.core.model import AuditEntry
from service.reports.history import values, words
from service.staff import queries as staff

CHANGES = ("change", "settings", "security", "signin")  # refusals and jobs stand in the system log


def _rows(_session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    return _read_by(wanted["reader"]).where(AuditEntry.kind.in_(CHANGES))


def _log_rows(_session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    return _read_by(wanted["reader"]).where(AuditEntry.kind.in_(KINDS))


def _read_by(person: Identity) -> Select[Any]:
    """A line tells of rows that the reader may not see by themselves: it is for those who see its branch whole."""
    whole = person.scope_for("audit.read").whole.branches
    return select(AuditEntry) if whole is None else select(AuditEntry).where(AuditEntry.branch_id.in_(whole))


def _labels(session: Session, rows: Sequence[AuditEntry], _wanted: Mapping[str, Any]) -> lists.Labels:
    return values.names(session, rows)


def _who(entry: AuditEntry, told: Told) -> str:
    return _("The program") if entry.by_id is None else told.name("staff", entry.by_id, str(entry.by_id))


def _what(entry: AuditEntry, told: Told) -> str:
    return f"{words.ENTITIES.get(entry.entity, entry.entity)} {values.thing(entry, told.labels)}".strip()


def _change(entry: AuditEntry, told: Told) -> str:
    changes = words.told(entry, told.labels)
    lines = ((name, None if old is None else masking.shown_field(told.person, name, old), None if new is None else masking.shown_field(told.person, name, new)) for name, old, new in changes)
    return " · ".join(f"{words.field(name)}: {'' if old is None else f'{old} → '}{'—' if new is None else new}" for name, old, new in lines)


def _about(entry: AuditEntry, told: Told) -> str:
    """In the log: whom else it is about, and what is told of it."""
    whom = told.name("staff", entry.entity_id, "") if entry.entity == "staff" and entry.entity_id != entry.by_id else ""
    return " · ".join(filter(None, (whom, _change(entry, told))))


def _people(session: Session) -> list[tuple[str, Any]]:
    return [(str(key), name) for key, name in sorted(staff.names(session).items(), key=lambda one: one[1])]


AT = Column("at", _l("At"), lambda entry, _told: entry.at, "moment", AuditEntry.at, width=124)
WHO = Column("who", _l("Who"), _who, sort=AuditEntry.by_id, nullable=True, width=116)
VERB = Column("verb", _l("Did what"), lambda entry, _told: words.verb(entry), width=168, card="title")
ADDRESS = Column("address", _l("From where"), lambda entry, _told: entry.address, width=128, card="quiet")
BY = Filter("who", _l("Who"), "choice", lambda who: AuditEntry.by_id == int(who), _people)
DAYS = lists.days("at", _l("Day"), AuditEntry.at, since="since", until="until")

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
            AT,
            WHO,
            VERB,
            Column("thing", _l("To what"), _what, width=156),
            Column("change", _l("Before and after"), _change, width=0, wraps=True),
            ADDRESS,
        ),
        filters=(
            Filter("id", _l("Number of the thing"), "number", lambda key: AuditEntry.entity_id == key, form=False),
            BY,
            Filter("verb", _l("Did what"), "choice", lambda verb: AuditEntry.verb == verb, lambda _session: list(words.VERBS.items())),
            Filter("entity", _l("To what"), "choice", lambda entity: AuditEntry.entity == entity, lambda _session: list(words.ENTITIES.items())),
            *DAYS,
        ),
        sort="-at",
        empty=Empty("history", _l("Nothing is on record yet"), _l("Each change of people, customers, calls and settings stands here.")),
    )
)

LOG = lists.know(
    ListSpec(
        name="log",
        title=_l("System log"),
        address="/settings/log",
        permission="audit.read",
        rows=_log_rows,
        key=AuditEntry.id,
        labels=_labels,
        cells="reports/cells.html",
        columns=(
            AT,
            Column("kind", _l("Kind"), lambda entry, _told: str(words.KINDS[entry.kind]), sort=AuditEntry.kind, width=148, card="quiet"),
            WHO,
            VERB,
            Column("about", _l("More"), _about, width=0, wraps=True),
            ADDRESS,
        ),
        filters=(BY, Filter("kind", _l("Kind"), "choice", lambda kind: AuditEntry.kind == kind, lambda _session: list(words.KINDS.items())), *DAYS),
        sort="-at",
        empty=Empty("history", _l("Nothing is on record yet"), _l("Sign-ins, refusals, settings and jobs stand here.")),
    )
)
