"""A place in a list, as an address carries it: the value that was sorted by, and the key of the row. Anybody can type one."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from service.core.errors import Invalid

LARGEST = 2**63
LONGEST = 6000  # letters of a place in an address

Place = tuple[Any, int]


def written(value: Any, key: int) -> str:
    """The place after (or before) the row with that value and key."""
    plain = value if value is None or isinstance(value, bool | int | str) else value.isoformat() if isinstance(value, date) else str(value)
    text = json.dumps([plain, key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str, kind: type) -> Place:
    """The place that `written` wrote for values of that kind. Raises Invalid for whatever else is typed."""
    try:
        value, key = json.loads(base64.b64decode(text[:LONGEST] + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        return (None if value is None else _READERS[kind](value)), _whole(key)
    except (ValueError, TypeError, KeyError, ArithmeticError, binascii.Error, RecursionError) as error:
        raise Invalid(_("This address names no place in the list. Begin at the first page.")) from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    value.encode()  # half a letter cannot be sent
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= LARGEST:
        raise ValueError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _amount(value: Any) -> Decimal:
    found = Decimal(_text(value))
    if not found.is_finite() or len(value) > 60 or abs(found.adjusted()) > 60:
        raise ValueError(value)
    return found


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None or found.utcoffset() is None:
        raise ValueError(value)
    found.astimezone(UTC)  # a year that no clock shows is refused here
    return found


_READERS: Mapping[type, Callable[[Any], Any]] = {
    str: _text, int: _whole, bool: _flag, Decimal: _amount, datetime: _moment, date: lambda value: date.fromisoformat(_text(value)),
}  # fmt: skip
