"""What a site, a project and a region must look like, and when a site is in order. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _

NORMAL, ABNORMAL = "normal", "abnormal"
CONDITIONS = (NORMAL, ABNORMAL)
LONGEST_NAME = 200
LONGEST_TEXT = 2000
MICRO = Decimal("0.000001")  # of a degree: eleven centimetres
LARGEST = Decimal(10) ** 15


def condition(faults: int) -> str:
    """A site is abnormal as long as a fault is open: one of a device, or one that a patrol found."""
    return ABNORMAL if faults else NORMAL


def line(typed: str) -> str:
    """One line without signs that only steer a screen or a printer."""
    return " ".join("".join(sign for sign in typed if sign.isprintable() or sign.isspace()).split())


def name_fault(name: str, *, what: str) -> str:
    """Why this is no name; empty when it is one."""
    if not name:
        return what
    return _("Use at most %(most)s signs.", most=LONGEST_NAME) if len(name) > LONGEST_NAME else ""


def degrees(typed: str, most: int) -> Decimal | None:
    """The angle with six places; nothing typed is None, and what lies off the earth is a ValueError."""
    if not typed.strip():
        return None
    try:
        found = Decimal(typed.strip().replace("，", ".").replace("°", ""))
    except InvalidOperation:
        raise ValueError(typed) from None
    if not found.is_finite() or abs(found) > most:
        raise ValueError(typed)
    return found.quantize(MICRO)


def amount(typed: str) -> Decimal | None:
    """The sum of money; nothing typed is None, and what is none is a ValueError."""
    plain = re.sub(r"[\s,，¥￥]", "", typed)
    if not plain:
        return None
    try:
        found = Decimal(plain)
    except InvalidOperation:
        raise ValueError(typed) from None
    if not found.is_finite() or not 0 <= found < LARGEST or found != found.quantize(Decimal("0.01")):
        raise ValueError(typed)
    return found.quantize(Decimal("0.01"))


@dataclass(frozen=True)
class Node:
    """A region in the tree: how deep it lies, and every region at and under it."""

    region: Any
    depth: int
    below: tuple[int, ...]


def tree(regions: Sequence[Any]) -> list[Node]:
    """The regions as they are read from above, each after its parent, brothers by name."""
    children: dict[int | None, list[Any]] = {}
    known = {region.id for region in regions}
    for region in sorted(regions, key=lambda one: (one.name, one.id)):
        children.setdefault(region.parent_id if region.parent_id in known else None, []).append(region)
    return list(_walk(children, None, 0))


def _walk(children: Mapping[int | None, list[Any]], parent: int | None, depth: int) -> Iterator[Node]:
    for region in children.get(parent, []):
        under = list(_walk(children, region.id, depth + 1))
        below = (region.id, *(node.region.id for node in under))
        yield Node(region, depth, below)
        yield from under


def path(regions: Iterable[Any], region_id: int | None) -> list[Any]:
    """The region and those above it, the widest first."""
    by_id, found = {region.id: region for region in regions}, []
    while region_id in by_id and by_id[region_id] not in found:
        found.append(by_id[region_id])
        region_id = by_id[region_id].parent_id
    return found[::-1]
