"""The list of parties: customers, suppliers, carriers and outside repairers."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.core import lists, masking
from service.core import search as finder
from service.core.identity import Identity
from service.core.lists import Column, Empty, Filter, ListSpec, Told
from service.parties import queries, words
from service.parties.categories import SIDES, tree
from service.parties.model import Party
from service.staff import queries as staff


def _rows(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """Every party that is not merged, or those of the chosen category and state."""
    query = select(Party)
    if "category" in wanted:
        inside = queries.inside(session, int(wanted["category"]))
        query = query.where(Party.category_id.in_(inside) | Party.vendor_category_id.in_(inside))
    return query if "state" in wanted else query.where(Party.state != "merged")


def _labels(session: Session, rows: Sequence[Any], _wanted: Mapping[str, Any]) -> dict[str, dict[Any, Any]]:
    contacts = queries.main_contacts(session, [party.id for party in rows])
    return {"categories": dict(queries.category_names(session)), "contacts": {key: one.name for key, one in contacts.items()}, "branches": staff.branch_names(session)}


def _categories(session: Session) -> list[tuple[str, Any]]:
    return [(str(node.id), node.indented) for side in SIDES for node in tree(session, side)]


def _roles(party: Party, _told: Told) -> str:
    return " · ".join(str(words.PARTY_ROLE[role]) for role in party.roles)


def _category(party: Party, told: Told) -> str:
    return told.name("categories", party.category_id or party.vendor_category_id)


def _found(session: Session, typed: str, person: Identity, among: Sequence[int] | None) -> list[int]:
    hits = finder.find(session, typed, kinds=["party"], most=finder.IN_LIST, phones=masking.searched(person), among=among)
    return [hit.ref_id for hit in hits]


CUSTOMERS = lists.know(
    ListSpec(
        name="customers",
        title=_l("Customers and suppliers"),
        address="/customers",
        permission="party.read",
        rows=_rows,
        key=Party.id,
        link=lambda party: f"/customers/{party.id}",
        cells="parties/cells.html",
        columns=(
            Column("number", _l("No."), lambda party, _told: party.number, "ref", Party.number, width=156),
            Column("name", _l("Name"), lambda party, _told: party.name, sort=Party.name_pinyin, width=0, card="title"),
            Column("contact", _l("Main contact"), lambda party, told: told.name("contacts", party.id), width=132),
            Column("category", _l("Category"), _category, width=132),
            Column("roles", _l("Roles"), _roles, width=148),
            Column("grade", _l("Grade"), lambda party, _told: party.grade, "state", Party.grade, width=104),
            Column("state", _l("State"), lambda party, _told: party.state, "state", Party.state, width=104),
            Column("tags", _l("Tags"), lambda party, _told: ", ".join(party.tags), width=180, card="labelled"),
            Column("branch", _l("Branch"), lambda party, told: told.name("branches", party.branch_id), width=132, shown=False, card="quiet", across=True),
            Column("created", _l("Created"), lambda party, _told: party.created_at, "moment", Party.created_at, width=152, card="off", shown=False),
        ),
        filters=(
            Filter("q", _l("Search"), find=_found, placeholder=_l("Name, pinyin initials, number or phone")),
            Filter("role", _l("Role"), "choice", lambda role: getattr(Party, role), lambda _session: [*words.PARTY_ROLE.items()], form=False),
            Filter("category", _l("Category"), "choice", options=_categories),
            Filter("grade", _l("Grade"), "choice", lambda grade: Party.grade == grade, lambda _session: [*words.GRADE.items()]),
            Filter("state", _l("State"), "choice", lambda state: Party.state == state, lambda _session: [*words.PARTY_STATE.items()][:2], more=True),
            Filter("branch", _l("Branch"), "choice", lambda key: Party.branch_id == int(key), staff.branch_choices, more=True, across=True),
            Filter("tag", _l("Tag"), clause=lambda tag: Party.tags.contains([tag]), more=True),
        ),
        sort="name",
        labels=_labels,
        empty=Empty("users", _l("Nobody is on file"), _l("Create the first customer, or let a caller become one."), permission="party.write"),
    )
)
