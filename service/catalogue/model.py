"""Categories in a tree, and the products in them; both are the whole firm's."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, key
from service.core.seen import OPEN


class ProductCategory(Base):
    """One node of the tree; two siblings never share a name."""

    __tablename__ = "product_category"
    __scope__ = OPEN
    __table_args__ = (UniqueConstraint("parent_id", "name", postgresql_nulls_not_distinct=True),)
    id: Mapped[key]
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("product_category.id"))
    name: Mapped[str] = mapped_column(Text)


class Product(Base):
    """A kind of thing; `warranty_months` is what the maker or the firm gives when nothing else is agreed."""

    __tablename__ = "product"
    __scope__ = OPEN
    __table_args__ = (CheckConstraint("warranty_months between 0 and 600", name="warranty_is_some_years"),)
    id: Mapped[key]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text, server_default=text("''"))
    category_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("product_category.id"), index=True)
    unit: Mapped[str] = mapped_column(Text, server_default=text("''"))
    serial_controlled: Mapped[bool] = mapped_column(server_default=text("true"))
    warranty_months: Mapped[int | None] = mapped_column(Integer)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))

    __mapper_args__ = {"version_id_col": version}
