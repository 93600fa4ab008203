"""The list of customers."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.core import lists
from service.core import search as finder
from service.core.lists import Column, Empty, Filter, ListSpec
from service.parties.model import Party

MOST = 500  # hits of a search that a list goes through


def _rows(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """Every customer, or those that fit what was typed."""
    query = select(Party)
    if "q" in wanted:
        hits = finder.find(session, wanted["q"], kinds=["party"], most=MOST)
        query = query.where(Party.id.in_([hit.ref_id for hit in hits]))
    return query


CUSTOMERS = lists.know(
    ListSpec(
        name="customers",
        title=_l("Customers"),
        address="/customers",
        permission="party.read",
        rows=_rows,
        key=Party.id,
        link=lambda party: f"/customers/{party.id}",
        cells="parties/cells.html",
        columns=(
            Column("number", _l("No."), lambda party, _told: party.number, "ref", Party.number, width=156),
            Column("name", _l("Name"), lambda party, _told: party.name, sort=Party.name_pinyin, width=0, card="title"),
            Column("grade", _l("Grade"), lambda party, _told: party.grade, "state", Party.grade, width=132),
            Column("contract", _l("Contract until"), lambda party, _told: party.contract_until, "date", Party.contract_until, True, 132, card="labelled"),
            Column("created", _l("Created"), lambda party, _told: party.created_at, "moment", Party.created_at, width=152, card="off"),
        ),
        filters=(Filter("q", _l("Search"), placeholder=_l("Name, pinyin initials, number or phone")),),
        sort="name",
        empty=Empty("users", _l("No customer yet"), _l("Customers are made at the desk when somebody calls.")),
    )
)
