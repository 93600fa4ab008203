"""The list of products."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from service.catalogue import queries
from service.catalogue.model import Product
from service.core import lists
from service.core.lists import Column, Empty, Filter, ListSpec


def _rows(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """Products that fit what was typed, in the category or below it."""
    query = select(Product)
    if "q" in wanted:
        query = query.where(or_(*(one.icontains(wanted["q"], autoescape=True) for one in (Product.code, Product.name, Product.model))))
    if "category" in wanted:
        query = query.where(Product.category_id.in_(queries.below(queries.tree(session), int(wanted["category"]))))
    return query


def _labels(session: Session, _rows: Sequence[Product], _wanted: Mapping[str, Any]) -> Mapping[str, Mapping[Any, Any]]:
    return {"paths": {node.id: node.path for node in queries.tree(session)}}


def _categories(session: Session) -> list[tuple[str, Any]]:
    return [(str(node.id), node.path) for node in queries.tree(session)]


PRODUCTS = lists.know(
    ListSpec(
        name="products",
        title=_l("Products"),
        address="/settings/products",
        permission="product.write",
        rows=_rows,
        key=Product.id,
        link=lambda row: f"/settings/products/{row.id}",
        columns=(
            Column("name", _l("Name"), lambda row, _told: row.name, sort=Product.name, width=0, card="title"),
            Column("code", _l("Code"), lambda row, _told: row.code, sort=Product.code, width=132, card="quiet"),
            Column("model", _l("Model"), lambda row, _told: row.model, sort=Product.model, width=180, card="quiet"),
            Column("category", _l("Category"), lambda row, told: told.name("paths", row.category_id), width=200, card="labelled"),
            Column("months", _l("Months of warranty"), lambda row, _told: row.warranty_months, "number", Product.warranty_months, True, 140, card="labelled"),
            Column("unit", _l("Unit"), lambda row, _told: row.unit, width=80, card="off", shown=False),
            Column("active", _l("State"), lambda row, _told: _("In use") if row.active else _("Switched off"), "state", width=104, card="labelled"),
        ),
        filters=(
            Filter("q", _l("Search"), placeholder=_l("Code, name or model")),
            Filter("category", _l("Category"), "choice", options=_categories),
        ),
        sort="name",
        labels=_labels,
        empty=Empty("list-details", _l("The catalogue is empty"), _l("Add the first product: its months of warranty decide at intake whether a repair is free.")),
    )
)
