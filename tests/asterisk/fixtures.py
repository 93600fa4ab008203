"""How a test gets a real Asterisk: `from tests.asterisk.fixtures import asterisk`."""

import os
import sys
from collections.abc import Iterator

import pytest

from tests.asterisk.lab import Lab, NoAsterisk


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Lab]:
    """One real Asterisk for all tests that ask; where none is to be had they skip loudly, and in CI they fail."""
    try:
        lab = Lab()
    except NoAsterisk as missing:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(str(missing), pytrace=False)
        sys.__stderr__.write(f"\n*** SKIPPED, NOT TESTED: {missing} ***\n")  # type: ignore[union-attr]
        pytest.skip(str(missing))
    with lab:
        yield lab
