"""Whether a site is in order, asked of whoever knows: nothing is stored, so the answer is as old as the question.

Contexts above hand in their facts as plain selects, registered by name in wire(): `facts` of devices (an open fault, a visit)
and `patrols` of sites (the latest of each). They stay plain, without groups, so that PostgreSQL can look only at what is shown.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, SelectBase, Subquery, exists, false, literal, null, select, union_all
from sqlalchemy.types import BigInteger, Boolean, DateTime

from service.devices.queries import CURRENT, Device
from service.sites.model import Site

Source = Callable[[], SelectBase]
_facts: dict[str, Source] = {}
_patrols: dict[str, Source] = {}
_MOMENT = DateTime(timezone=True)


def facts(name: str, source: Source) -> None:
    """From now on the source's rows (device_id, open, visited_at) count: `open` says that a fault waits for a hand."""
    _facts[name] = source


def patrols(name: str, source: Source) -> None:
    """From now on the source's rows (site_id, faults, visited_at) count, one a site: faults that no device knows of, and its latest patrol."""
    _patrols[name] = source


def of_devices() -> Subquery:
    """Every fact about a device that any source knows."""
    nothing = select(literal(0, BigInteger).label("device_id"), literal(False, Boolean).label("open"), null().cast(_MOMENT).label("visited_at")).where(false())
    return union_all(nothing, *(source() for source in _facts.values())).subquery("fact")


def of_sites() -> Subquery:
    """The latest patrol of each site that any source knows, with the faults that patrols alone know of."""
    nothing = select(literal(0, BigInteger).label("site_id"), literal(0, BigInteger).label("faults"), null().cast(_MOMENT).label("visited_at")).where(false())
    return union_all(nothing, *(source() for source in _patrols.values())).subquery("patrol")


def abnormal() -> ColumnElement[bool]:
    """A fault is open at a device of the site of the row, or a patrol found one that nobody has seen to (`rules.condition`, as SQL)."""
    fact, patrol = of_devices(), of_sites()
    fault = exists().where(Device.site_id == Site.id, Device.state.in_(CURRENT), fact.c.device_id == Device.id, fact.c.open).correlate(Site)
    found = exists().where(patrol.c.site_id == Site.id, patrol.c.faults > 0).correlate(Site)
    return fault | found
