"""What a settings form says, read with care: anybody can send anything."""

from collections.abc import Mapping
from datetime import date

from flask import request

from service.core import asked

LONGEST = 2000


def words(name: str) -> str:
    """What was typed into the field, without what no database keeps."""
    return request.form.get(name, "").replace("\x00", "").strip()[:LONGEST]


def whole(name: str, given: Mapping[str, str] | None = None) -> int | None:
    """A whole number that PostgreSQL can hold, else nothing."""
    return _whole((request.form if given is None else given).get(name, ""))


def number(name: str) -> int:
    """A whole number, 0 when there is none."""
    return whole(name) or 0


def wholes(name: str) -> list[int | None]:
    """The same for a field that stands there several times."""
    return [_whole(value) for value in request.form.getlist(name)]


def day(name: str) -> date | None:
    """A day of a believable year, else nothing."""
    try:
        found = date.fromisoformat(request.form.get(name, "").strip())
    except ValueError:
        return None
    return found if 1970 <= found.year < 9999 else None


def _whole(value: str) -> int | None:
    return asked.whole(value, 9)
