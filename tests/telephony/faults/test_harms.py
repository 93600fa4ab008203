"""A lossy feed raises nothing, leaves nothing behind, and tells few calls wrongly until the switch's own files mend them."""

from collections import Counter
from functools import cache

import pytest

from tests.telephony.faults import harm
from tests.telephony.faults.__main__ import HARMS, tried
from tests.telephony.faults.fuzz import fuzz

FOLDERS = ("asterisk-22", "further-16")
MOST_WRONG = {"dropped": 0.05, "doubled": 0.0, "swapped": 0.01}
# A phone that rings for an order of ours and nothing else: only a snapshot can tell that it stopped.
MAY_STAY = {"dropped": 1, "cut": 10}
# A mailbox whose one event is lost, at a switch whose CEL has no AppData: neither heard nor written.
UNWRITTEN = {"dropped": 1, "cut": 1}


@cache
def found(name: str) -> Counter[str]:
    return Counter(said if said.endswith("after") else said.split()[0]
                   for capture in harm.captures(*FOLDERS) for said, _ in tried(harm.events(capture), name, capture))


@pytest.mark.parametrize("name", HARMS)
def test_a_harmed_feed(name: str) -> None:
    counts = found(name)

    assert counts["fine"] > 100
    assert counts["raised"] == 0
    assert counts["leaked"] <= MAY_STAY.get(name, 0)
    if name in MOST_WRONG:
        assert counts["wrong"] <= MOST_WRONG[name] * (counts["fine"] + counts["wrong"])


@pytest.mark.parametrize("name", HARMS)
def test_what_a_harmed_feed_got_wrong_the_files_put_right(name: str) -> None:
    counts = found(name)

    assert counts["open after"] == 0
    assert counts["wrong after"] == UNWRITTEN.get(name, 0)


def test_whatever_a_line_brings_is_survived() -> None:
    report = fuzz(60.0, seed=20261126)

    assert report.frames > 2000
    assert report.most_calls < 500
