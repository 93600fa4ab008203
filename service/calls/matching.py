"""Who may be calling: by the numbers of customers and their contacts, and by those that are answered at their sites."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from service.calls import rules
from service.core import phone as phones
from service.core.scope import Scope
from service.parties import queries as parties
from service.parties.queries import Match as Match
from service.sites import queries as sites

MOST = 5


@dataclass(frozen=True)
class Side:
    """The other side of a call: its number, and the line of ours that it reached or was reached from."""

    number: phones.Phone
    line: str | None = None

    @property
    def spellings(self) -> tuple[phones.Phone, ...]:
        """The number with and without the area code that it shares with the line."""
        return phones.spellings(self.number, self.line)


def side(direction: str, caller: str | None, called: str | None) -> Side:
    """The other side of a call between these two."""
    return Side(phones.parse(rules.customer_number(direction, caller, called)), caller if direction == "outbound" else called)


def matched(session: Session, wanted: Sequence[tuple[Side, Scope]]) -> list[list[Match]]:
    """The customers of each side within its scope, who called last first; sites after the numbers of customers themselves."""
    spelled = [(n, number) for n, (other, _) in enumerate(wanted) for number in other.spellings]
    found: list[list[Match]] = [[] for _ in wanted]
    hits = parties.match_phones(session, [(number, wanted[n][1]) for n, number in spelled], MOST)
    for (n, _number), more in zip(spelled, hits, strict=True):
        found[n] += [match for match in more if not _known(found[n], match)]
    _with_sites(session, wanted, found)
    return [matches[:MOST] for matches in found]


def _known(found: Sequence[Match], match: Match) -> bool:
    return any((one.party_id, one.contact_id) == (match.party_id, match.contact_id) for one in found)


def _with_sites(session: Session, wanted: Sequence[tuple[Side, Scope]], found: list[list[Match]]) -> None:
    """Who is answered for at a site says at which, and whose number stands at a site alone is found by it."""
    keys = [{number.key for number in other.spellings if number.kind != "withheld"} - {""} for other, _ in wanted]
    reached = sites.reached(session, set().union(*keys))
    for n, (_, within) in enumerate(wanted):
        for place in reached:
            if place.key in keys[n] and within.covers(place.branch_id):
                _placed(session, found[n], place)


def _placed(session: Session, found: list[Match], place: sites.Reached) -> None:
    named = {"site": place.name, "site_id": place.site_id}
    for at, match in enumerate(found):
        if match.party_id == place.party_id and match.contact_name in (None, place.contact or None):
            found[at] = match if match.site_id else replace(match, **named)  # type: ignore[arg-type]
            return
    known = parties.as_match(session, place.party_id, place.contact, "exact" if place.key.startswith("+") else "digits")
    if known:
        found.append(replace(known, source="site", site=place.name, site_id=place.site_id))


def sure(found: Sequence[Match]) -> tuple[int | None, int | None]:
    """Party and contact when nobody else has the number: of two people with one number the party alone is sure."""
    owners, people = {match.party_id for match in found}, {match.contact_id for match in found}
    if len(owners) != 1:
        return None, None
    return found[0].party_id, found[0].contact_id if len(people) == 1 else None
