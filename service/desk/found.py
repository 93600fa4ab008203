"""One field finds customers, devices and tickets, as far as the person may see them, closest first."""

import unicodedata
from dataclasses import dataclass, replace

from service.core import db, masking, phone, search
from service.core.identity import Identity
from service.core.scope import Scope
from service.core.search import Hit
from service.parties import queries as parties

NEEDS = {"party": "party.read", "device": "device.read", "ticket": "ticket.read", "site": "site.read", "project": "site.read"}
SIGNS = {"party": "users", "device": "devices", "ticket": "ticket", "site": "map-pin", "project": "building"}
PATHS = {"party": "/customers", "device": "/devices", "ticket": "/tickets", "site": "/sites", "project": "/sites/projects"}
MOST = 12
SERIAL = 5  # signs of the shortest number that is taken for a serial


@dataclass(frozen=True)
class Found:
    """A hit as the field shows it, and the page that it opens; `idle` is out of use."""

    sign: str
    label: str
    hint: str
    path: str
    idle: bool = False


def found(typed: str, person: Identity) -> list[Found]:
    """What fits, of each kind where the person may read it."""
    places: dict[Scope, list[str]] = {}
    for kind, needed in NEEDS.items():
        if person.may(needed):
            places.setdefault(person.scope_for(needed), []).append(kind)
    hits: list[Hit] = []
    idle: set[int] = set()
    for scope, kinds in places.items():
        with db.begin(scope) as session:
            here = search.find(session, typed, kinds=kinds, most=MOST, phones=masking.searched(replace(person, scope=scope)))
            idle |= parties.out_of_use(session, {hit.ref_id for hit in here if hit.kind == "party"})
        hits += here
    if len(places) > 1:
        hits = sorted(hits, key=lambda hit: hit.distance)[:MOST]
    return [
        Found(SIGNS[hit.kind], hit.label, hit.hint, f"{PATHS[hit.kind]}/{hit.ref_id}", hit.kind == "party" and hit.ref_id in idle)
        for hit in hits
    ]


def new_serial(typed: str, person: Identity) -> str:
    """What was typed, where it may be the serial of a device that is not on file and this person may put it there."""
    plain = "".join(unicodedata.normalize("NFKC", typed).split())
    looks = len(plain) >= SERIAL and any(sign.isdigit() for sign in plain) and not phone.parse(plain).e164
    return plain if looks and person.may("device.write") else ""
