"""What a form says of a product."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProductFacts:
    """A product as typed; `warranty_months` None where nothing is agreed, 0 where there is none."""

    code: str
    name: str
    model: str = ""
    category_id: int | None = None
    unit: str = ""
    serial_controlled: bool = True
    warranty_months: int | None = None
    active: bool = True
