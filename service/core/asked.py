"""What the address of a page asks for, read with care: anybody can type anything there."""

from collections.abc import Sequence
from datetime import date, datetime, time
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import get_timezone


def whole(text: str, digits: int = 18) -> int | None:
    """A whole number of at most so many digits, which a column can hold, else nothing. Signs that only look like digits are none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def number(name: str) -> int | None:
    """A whole number of the address, else nothing."""
    return whole(request.args.get(name, ""), 9)


def day(name: str) -> date | None:
    """A day of a believable year, else nothing."""
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 1970 <= found.year < 9999 else None


def midnight(at: date) -> datetime:
    """Where that day begins in the reader's time zone."""
    return datetime.combine(at, time.min, ZoneInfo(str(get_timezone())))


def place(name: str) -> tuple[datetime, int] | None:
    """The (time, id) of the last row seen, as `marked` wrote it."""
    return moment(request.args.get(name, ""))


def moment(text: str) -> tuple[datetime, int] | None:
    """A (time, id) as `marked` wrote it, else nothing."""
    at, _colon, last = text.rpartition("_")
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    number = whole(last)
    return (found, number) if found.tzinfo and number is not None else None


def marked(at: datetime, last: int) -> str:
    """The place after a row, for an address."""
    return f"{at.isoformat()}_{last}"


def kept(names: Sequence[str]) -> dict[str, str]:
    """Those of the conditions that are set."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def again(names: Sequence[str], **changed: str) -> str:
    """The address of this page with the same conditions, some of them changed or, when empty, dropped."""
    return request.path + "?" + urlencode({name: value for name, value in (kept(names) | changed).items() if value})


def back() -> str:
    """Where the person came from, on this site only."""
    try:
        parts = urlsplit(request.form.get("next") or request.referrer or "/")
    except ValueError:  # such as http://[
        return "/"
    path = parts.path or "/"
    if not path.startswith("/") or path.startswith("//"):
        return "/"
    return f"{path}?{parts.query}" if parts.query else path
