"""Text of a cell becomes the value of a field, or a finding that says why not. Pure."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from service.core import phone
from service.core.intake.target import Field, Finding
from service.core.money import money

DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]\s*\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)?")
PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")  # days since the end of 1899, as Excel counts them
EPOCH = date(1899, 12, 30)
ROUNDED = re.compile(r"[+-]?\d(?:\.\d+)?[eE][+-]?\d+")
WHOLE = re.compile(r"([+-]?\d+)(?:\.0+)?")
MAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")
SEVERAL = re.compile(r"[;；,，、/|\n]+")


class Wrong(Exception):
    """The text is no value of that kind; `code` names the sentence."""

    def __init__(self, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def read(one: Field, text: str) -> tuple[Any, Finding | None]:
    """The value of the text, None for an empty cell; or what is wrong with it."""
    typed = clean(text)
    if not typed:
        return None, Finding(one.name, "missing") if one.must else None
    try:
        return KINDS[one.kind](one, typed), None
    except Wrong as wrong:
        return None, Finding(one.name, wrong.code, text[:200], wrong.facts)


def clean(text: str) -> str:
    """No blanks around it, no sign that cannot be stored or seen; directions and joiners inside words stay."""
    kept = "".join(sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs") else " " for sign in text)
    return kept.strip().strip("\ufeff\u200b\u00a0\u3000").strip()


def folded(text: str) -> str:
    """The text as it is compared: narrow letters, small, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _text(one: Field, typed: str) -> str:
    found = " ".join(typed.split())
    if len(found) > one.longest:
        raise Wrong("long", most=one.longest, letters=len(found))
    return found


def _code(one: Field, typed: str) -> str:
    """A number that is a name: Excel's `.0` goes, and digits that Excel rounded away are missed."""
    if ROUNDED.fullmatch(typed):
        raise Wrong("rounded")
    whole = WHOLE.fullmatch(typed)
    return _text(one, whole[1] if whole and "." in typed else typed)


def _day(one: Field, typed: str) -> str:
    """A day of a believable year as 2026-11-26, however it was written, as long as it can mean one day only."""
    text = unicodedata.normalize("NFKC", typed)
    serial = SERIAL.fullmatch(text)
    if serial:
        return (EPOCH + timedelta(days=int(serial[1]))).isoformat()
    parts = DAY.fullmatch(text) or PACKED.fullmatch(text)
    if parts is None:
        raise Wrong("day")
    try:
        found = date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        raise Wrong("no_such_day") from None
    if not 1900 <= found.year <= 2199:
        raise Wrong("no_such_day")
    return found.isoformat()


def _whole(one: Field, typed: str) -> int:
    found = WHOLE.fullmatch(unicodedata.normalize("NFKC", typed).replace(",", ""))
    number = int(found[1]) if found and len(found[1]) < 12 else -1
    if not one.least <= number <= one.most:
        raise Wrong("whole", least=one.least, most=one.most)
    return number


def _money(one: Field, typed: str) -> str:
    """An amount from 0 on with two places, as text so that no cent is lost."""
    text = re.sub(r"[,\s¥￥元]", "", unicodedata.normalize("NFKC", typed))
    try:
        found = Decimal(text) if len(text) < 20 else Decimal(-1)
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or not 0 <= found < 10**13:
        raise Wrong("money")
    return str(money(found))


def _words(one: Field, typed: str) -> list[str]:
    """Each word once, in the order in which they were written."""
    found = list(dict.fromkeys(" ".join(part.split()) for part in SEVERAL.split(typed) if part.strip()))
    long = next((part for part in found if len(part) > one.longest), "")
    if long:
        raise Wrong("long", most=one.longest, letters=len(long))
    return found


def _phones(one: Field, typed: str) -> list[str]:
    """Each number once, as it was written but for what Excel made of it."""
    found: dict[str, str] = {}
    for part in SEVERAL.split(unicodedata.normalize("NFKC", typed)):
        raw = part.strip()
        if not raw:
            continue
        if ROUNDED.fullmatch(raw):
            raise Wrong("phone_rounded")
        raw = re.sub(r"(?<=\d)\.0+$", "", raw)
        number = phone.parse(raw)
        if not phone.is_written(raw):
            raise Wrong("phone")
        found.setdefault(number.key, raw[:80])
    return list(found.values())


def _mail(one: Field, typed: str) -> str:
    if not MAIL.fullmatch(typed) or len(typed) > one.longest:
        raise Wrong("mail")
    return typed


def _mails(one: Field, typed: str) -> list[str]:
    return list(dict.fromkeys(_mail(one, part) for part in re.split(r"[;；,，、\s]+", typed) if part))


def _choice(one: Field, typed: str) -> str:
    wanted = folded(typed)
    for code, words in one.choices.items():
        if wanted == code or wanted in (folded(str(word)) for word in words):
            return code
    raise Wrong("choice")


def _choices(one: Field, typed: str) -> list[str]:
    return sorted({_choice(one, part) for part in SEVERAL.split(typed) if part.strip()})


KINDS: dict[str, Callable[[Field, str], Any]] = {
    "text": _text, "code": _code, "day": _day, "whole": _whole, "money": _money, "words": _words, "phones": _phones, "mail": _mail, "mails": _mails, "choice": _choice, "choices": _choices,
}
