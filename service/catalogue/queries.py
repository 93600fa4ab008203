"""The catalogue as screens need it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
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
