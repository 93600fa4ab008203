"""The catalogue changes: categories are named and moved, products added, changed, and deleted while nothing is of them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.catalogue import queries
from service.catalogue.model import Product, ProductCategory
from service.catalogue.schemas import ProductFacts
from service.core import audit, db, editing, locks
from service.core.errors import DeskError, Invalid, NotFound

LONGEST = {"code": 40, "name": 120, "model": 120, "unit": 20}
DEEPEST = 6


class InUse(DeskError):
    """Something stands on this row, so it cannot go."""


def add_product(session: Session, facts: ProductFacts, *, by: int, at: datetime) -> int:
    """The product is in the catalogue; returns its id."""
    locks.hold(session, "product", "codes")
    _check(session, facts, None)
    made = Product(**asdict(facts))
    session.add(made)
    session.flush()
    audit.record(session, at=at, by=by, verb="created", entity="product", entity_id=made.id, new=asdict(facts))
    return made.id


def change_product(session: Session, product_id: int, facts: ProductFacts, *, version: int, by: int, at: datetime) -> None:
    """The product is as the form says; an older form is refused."""
    locks.hold(session, "product", "codes")
    row = _locked(session, product_id)
    editing.fresh(row.version, version)
    _check(session, facts, product_id)
    old, new = _differences(row, facts)
    for name, value in new.items():
        setattr(row, name, value)
    session.flush()
    if new:
        audit.record(session, at=at, by=by, verb="changed", entity="product", entity_id=product_id, old=old, new=new)


def remove_product(session: Session, product_id: int, *, by: int, at: datetime) -> None:
    """The product is gone, unless a device or a component is of it."""
    row = _locked(session, product_id)
    said = {"code": row.code, "name": row.name}
    refusal = _("Devices or components are of this product. Switch it off instead; then nobody can choose it.")
    _deleted(session, row, refusal)
    audit.record(session, at=at, by=by, verb="deleted", entity="product", entity_id=product_id, old=said)


def add_category(session: Session, name: str, parent_id: int | None, *, by: int, at: datetime) -> int:
    """The category stands under its parent, or at the top."""
    locks.hold(session, "product", "tree")
    nodes = queries.tree(session)
    parent = next((node for node in nodes if node.id == parent_id), None)
    if parent_id is not None and parent is None:
        raise _wrong("parent_id", _("That category is gone. Choose another one."))
    if parent is not None and parent.depth + 1 >= DEEPEST:
        raise _wrong("parent_id", _("The tree is at most %(count)s categories deep.", count=DEEPEST))
    named = _category_name(nodes, name, parent_id, None)
    made = ProductCategory(name=named, parent_id=parent_id)
    session.add(made)
    session.flush()
    audit.record(session, at=at, by=by, verb="created", entity="product_category", entity_id=made.id, new={"name": named, "parent_id": parent_id})
    return made.id


def rename_category(session: Session, category_id: int, name: str, *, by: int, at: datetime) -> None:
    """The category has this name."""
    locks.hold(session, "product", "tree")
    row = _category(session, category_id)
    old, row.name = row.name, _category_name(queries.tree(session), name, row.parent_id, category_id)
    session.flush()
    audit.record(session, at=at, by=by, verb="changed", entity="product_category", entity_id=category_id, old={"name": old}, new={"name": row.name})


def remove_category(session: Session, category_id: int, *, by: int, at: datetime) -> None:
    """The category is gone, unless something is in it."""
    row = _category(session, category_id)
    name = row.name
    _deleted(session, row, _("There are products or categories in “%(name)s”. Move them first.", name=name))
    audit.record(session, at=at, by=by, verb="deleted", entity="product_category", entity_id=category_id, old={"name": name})


def _deleted(session: Session, row: Product | ProductCategory, refusal: str) -> None:
    """PostgreSQL itself says whether anything stands on the row, whichever context it is of."""
    try:
        with session.begin_nested():
            session.delete(row)
            session.flush()
    except IntegrityError as error:
        raise InUse(refusal) from error


def _locked(session: Session, product_id: int) -> Product:
    row = db.locked(session, Product, product_id)
    if row is None:
        raise NotFound(_("There is no such product. Look for it in the catalogue."))
    return row


def _category(session: Session, category_id: int) -> ProductCategory:
    row = session.get(ProductCategory, category_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("That category is gone. Choose another one."))
    return row


def _category_name(nodes: list[queries.Node], name: str, parent_id: int | None, own: int | None) -> str:
    named = " ".join(name.split())
    if not named:
        raise _wrong("name", _("Give the category a name."))
    if len(named) > 60:
        raise _wrong("name", _("At most %(count)s letters.", count=60))
    if any(node.name == named and node.parent_id == parent_id and node.id != own for node in nodes):
        raise _wrong("name", _("There is a category of this name already."))
    return named


def _check(session: Session, facts: ProductFacts, own: int | None) -> None:
    wrong: dict[str, str] = {}
    for name, longest in LONGEST.items():
        if len(getattr(facts, name)) > longest:
            wrong[name] = _("At most %(count)s letters.", count=longest)
    if not facts.code:
        wrong["code"] = _("Give the product a code.")
    elif session.scalars(select(Product.id).where(Product.code == facts.code, Product.id != (own or 0))).first():
        wrong["code"] = _("Another product has this code.")
    if not facts.name:
        wrong["name"] = _("Give the product a name.")
    if facts.warranty_months is not None and not 0 <= facts.warranty_months <= 600:
        wrong["warranty_months"] = _("Months of warranty are a whole number from 0 to 600.")
    if facts.category_id is not None and session.get(ProductCategory, facts.category_id) is None:
        wrong["category_id"] = _("That category is gone. Choose another one.")
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)


def _wrong(field: str, words: str) -> Invalid:
    return Invalid(words, {field: words})


def _differences(row: Product, facts: ProductFacts) -> tuple[dict[str, Any], dict[str, Any]]:
    new = {name: value for name, value in asdict(facts).items() if getattr(row, name) != value}
    return {name: getattr(row, name) for name in new}, new
