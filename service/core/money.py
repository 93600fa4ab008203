"""Money: Decimal with two places, rounded half up, away from zero for negatives."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def money(value: Decimal | int | str) -> Decimal:
    """The amount with two places; a float is refused because it has already lost cents."""
    if isinstance(value, float):
        raise TypeError("an amount must be a Decimal, an int or a str, never a float")
    return Decimal(value).quantize(CENT, rounding=ROUND_HALF_UP)


def spread(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """The total in parts by weight, rounded on the running sum so that the parts add up to it."""
    whole, so_far, given, parts = sum(weights, Decimal(0)), Decimal(0), Decimal(0), []
    for weight in weights:
        so_far += weight
        upto = money(total * so_far / whole)
        parts.append(upto - given)
        given = upto
    return parts
