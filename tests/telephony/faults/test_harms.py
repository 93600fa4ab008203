"""A lossy feed raises nothing, leaves nothing behind, and tells few calls wrongly until the switch's own files mend them."""

from collections import Counter

import pytest

from tests.telephony.faults import harm
from tests.telephony.faults.__main__ import tried
from tests.telephony.faults.fuzz import fuzz

FOLDERS = ("asterisk-22", "further-16")
MOST_WRONG = {"dropped": 0.05, "doubled": 0.0, "swapped": 0.01}
# A phone that rings for an order of ours and nothing else: only a snapshot can tell that it stopped.
MAY_STAY = {"dropped": 1, "cut": 10}


@pytest.mark.parametrize("name", ["dropped", "doubled", "swapped", "cut"])
def test_a_harmed_feed(name: str) -> None:
    found = Counter(said.split()[0] for capture in harm.captures(*FOLDERS) for said, _ in tried(harm.events(capture), name))

    assert found["fine"] > 100 or name == "cut"
    assert found["raised"] == 0
    assert found["leaked"] <= MAY_STAY.get(name, 0)
    if name in MOST_WRONG:
        assert found["wrong"] <= MOST_WRONG[name] * (found["fine"] + found["wrong"])


def test_whatever_a_line_brings_is_survived() -> None:
    report = fuzz(20.0, seed=20261126)

    assert report.frames > 2000
    assert report.most_calls < 500
