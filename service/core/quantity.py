"""Quantities: Decimal with six places in the item's base unit."""

from decimal import ROUND_HALF_UP, Decimal

MICRO = Decimal("0.000001")


def quantity(value: Decimal | int | str) -> Decimal:
    """The quantity with six places; a float is refused."""
    if isinstance(value, float):
        raise TypeError("a quantity must be a Decimal, an int or a str, never a float")
    return Decimal(value).quantize(MICRO, rounding=ROUND_HALF_UP)
