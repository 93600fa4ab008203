"""Which bytes a Range header asks for."""

import pytest

from recordings.player import Span, Unsatisfiable, span


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-", 0, 1000),
        ("bytes=0-0", 0, 1),
        ("bytes=500-", 500, 1000),
        ("bytes=990-2000", 990, 1000),
        ("bytes=-10", 990, 1000),
        ("bytes=-5000", 0, 1000),
        ("bytes = 1 - 2", 1, 3),
        ("bytes=999-999", 999, 1000),
    ],
)
def test_a_range_is_a_part(asked: str, start: int, stop: int) -> None:
    assert span(asked, 1000) == Span(start, stop, 1000)


@pytest.mark.parametrize("asked", [None, "", "bytes=-", "items=0-1", "bytes=0-1,5-6", "bytes=5-1", "bytes=a-b", "bytes=" + "9" * 5000 + "-", "bytes=²-"])
def test_what_is_not_one_range_means_everything(asked: str | None) -> None:
    assert span(asked, 1000) is None


@pytest.mark.parametrize(("asked", "size"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-", 0)])
def test_a_range_outside_cannot_be_served(asked: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        span(asked, size)
