"""One field finds customers, devices and tickets, as far as the person may see them, closest first."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.core import masking, search
from service.core.identity import Identity
from service.devices import queries as devices

NEEDS = {"party": "party.read", "device": "party.read", "ticket": "ticket.read"}
SIGNS = {"party": "users", "device": "devices", "ticket": "ticket"}
MOST = 12


@dataclass(frozen=True)
class Found:
    """A hit as the field shows it, and the page that it opens."""

    sign: str
    label: str
    hint: str
    path: str


def found(session: Session, typed: str, person: Identity) -> list[Found]:
    """What fits, of the kinds that the person may read."""
    kinds = [kind for kind, needed in NEEDS.items() if person.may(needed)]
    hits = search.find(session, typed, kinds=kinds, most=MOST, phones=masking.searched(person))
    owners = devices.owners(session, {hit.ref_id for hit in hits if hit.kind == "device"})
    return [Found(SIGNS[hit.kind], hit.label, hit.hint, path) for hit in hits if (path := _path(hit, owners))]


def _path(hit: search.Hit, owners: dict[int, int]) -> str:
    """Nothing for a device that has just gone."""
    if hit.kind == "device":
        return f"/customers/{owners[hit.ref_id]}#device-{hit.ref_id}" if hit.ref_id in owners else ""
    return f"/customers/{hit.ref_id}" if hit.kind == "party" else f"/tickets/{hit.ref_id}"
