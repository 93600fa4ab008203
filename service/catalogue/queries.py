"""The catalogue as screens need it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from service.catalogue.model import Product as Product
from service.catalogue.model import ProductCategory

MOST = 1000  # products in one field


@dataclass(frozen=True)
class Node:
    """A category with its whole path, such as 打印设备 / 条码打印机; `depth` counts from 0."""

    id: int
    name: str
    path: str
    depth: int
    parent_id: int | None


def tree(session: Session) -> list[Node]:
    """Every category, each parent before its children, siblings by name."""
    children: dict[int | None, list[ProductCategory]] = {}
    for row in session.scalars(select(ProductCategory).order_by(ProductCategory.name, ProductCategory.id)):
        children.setdefault(row.parent_id, []).append(row)
    return list(_walked(children, None, "", 0))


def _walked(children: dict[int | None, list[ProductCategory]], parent: int | None, path: str, depth: int) -> Iterable[Node]:
    for row in children.get(parent, []):
        here = f"{path} / {row.name}" if path else row.name
        yield Node(row.id, row.name, here, depth, parent)
        yield from _walked(children, row.id, here, depth + 1)


def below(nodes: Iterable[Node], category_id: int) -> set[int]:
    """The category and all under it."""
    found = {category_id}
    for node in nodes:  # a parent stands before its children
        if node.parent_id in found:
            found.add(node.id)
    return found


def choices(session: Session) -> list[Product]:
    """Products that a new device may be of."""
    return list(session.scalars(select(Product).where(Product.active).order_by(Product.name, Product.id).limit(MOST)))


def product(session: Session, product_id: int) -> Product | None:
    """The product, or None."""
    return session.get(Product, product_id)


def by_ids(session: Session, ids: Collection[int]) -> dict[int, Product]:
    """Products by id."""
    return {row.id: row for row in session.scalars(select(Product).where(Product.id.in_(ids)))} if ids else {}


def by_codes(session: Session, codes: Collection[str]) -> dict[str, Product]:
    """Products by code."""
    return {row.code: row for row in session.scalars(select(Product).where(Product.code.in_(codes)))} if codes else {}


def called(session: Session, words: Collection[str]) -> dict[str, list[Product]]:
    """By each small word the products whose code, name, or name and model it is, as far as they are sold; a code counts always."""
    if not words:
        return {}
    code, name, both = func.lower(Product.code), func.lower(Product.name), func.lower(Product.name + " " + Product.model)
    found: dict[str, list[Product]] = {}
    rows = select(Product).where(or_(code.in_(words), and_(Product.active, or_(name.in_(words), both.in_(words))))).order_by(Product.id)
    for row in session.scalars(rows):
        for word in {row.code.lower(), *([row.name.lower(), f"{row.name} {row.model}".lower()] if row.active else [])} & set(words):
            found.setdefault(word, []).append(row)
    return found
