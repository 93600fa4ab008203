"""What the desks are told of each capture: every phone that truly rang rings first, whatever came before what."""

import gzip

import pytest

from telephony.feed import Feed
from telephony.floor import Floor
from telephony.news import news
from tests.telephony.test_replay import CAPTURES, NAMES, truth


def told(name: str, *, unheard: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """What each phone is told, in order; `unheard` events are lost on the way."""
    feed, floor = Feed(), Floor()
    found: dict[str, list[str]] = {}
    for event in feed.hear(gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes()), None):
        for item in (item for change in floor.hear(event) if event.name not in unheard for item in news(change)):
            if item.leg is not None:
                found.setdefault(str(item.leg.party), []).append(item.kind)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_phone_that_rang_is_told_so_first(name: str) -> None:
    kinds = told(name)

    assert sorted(kinds) == sorted({phone for call in truth(name) for phone in call["agents_rung"] or ()})
    assert all(said[0] == "rings" for said in kinds.values())


def test_an_ordered_call_rings_and_talks_at_the_phone_that_ordered_it() -> None:
    assert told("asterisk-22-callcapture/e-outbound-click-to-call") == {"1001": ["rings", "answered"]}
    late = told("asterisk-22/e-outbound-click-to-call", unheard=("DialBegin", "DialState", "DialEnd"))
    assert late == {"1001": ["rings", "answered"]}
