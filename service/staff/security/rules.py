"""One-time codes, address ranges, and what is asked of whom before a sign-in is open. Pure."""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

STEP = 30  # seconds that a code is shown
DRIFT = 1  # steps that a phone's clock may be off
CODES = 10  # recovery codes of a person
KEPT_PASSWORDS = 5  # so many of the last cannot be taken again
MOST_RANGES = 50
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that is read as another


@dataclass(frozen=True)
class Policy:
    """How the firm's people sign in. 0 days: passwords do not age."""

    name: str = ""
    password_days: int = 0
    lock_after: int = 10
    lock_minutes: int = 15
    version: int = 0

    @property
    def window(self) -> timedelta:
        """How long a refused sign-in counts."""
        return timedelta(minutes=self.lock_minutes)

    @property
    def lock_address_after(self) -> int:
        """Many people may share an address, so more is allowed from one than under one name."""
        return self.lock_after * 5


def code_of(secret: bytes, step: int) -> str:
    """The six digits of that step (RFC 6238 with SHA-1, which is what every authenticator app speaks)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def step_of(at: datetime) -> int:
    """The step that runs at that moment."""
    return int(at.timestamp()) // STEP


def matching_step(secret: bytes, typed: str, at: datetime, last_step: int) -> int | None:
    """The step whose code was typed, later than the last one that was used; None when there is none."""
    now, digits = step_of(at), "".join(typed.split())
    for step in range(now - DRIFT, now + DRIFT + 1):
        if step > last_step and hmac.compare_digest(code_of(secret, step).encode(), digits.encode()):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Ten codes of fifty random bits each, as a person writes them down."""
    return ["-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(CODES)]


def plain_recovery_code(typed: str) -> str:
    """The code without what people add when they copy by hand."""
    return "".join(letter for letter in typed.lower() if letter.isascii() and letter.isalnum())[:40]


def ranges(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The ranges of a list with commas or lines; raises ValueError naming the one that is none."""
    found = []
    for part in text.replace(",", "\n").split():
        try:
            found.append(ip_network(part, strict=False))
        except ValueError as error:
            raise ValueError(part[:60]) from error
    return tuple(found)


def inside(address: str, text: str) -> bool:
    """True when the address is in one of the ranges, or there are none."""
    allowed = ranges(text)
    if not allowed:
        return True
    try:
        where = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(where, IPv6Address) and where.ipv4_mapped:
        where = where.ipv4_mapped
    return any(where.version == one.version and where in one for one in allowed)


def admitted(address: str, of_roles: Iterable[str]) -> bool:
    """True when the address is inside the ranges of each role that has some."""
    return all(inside(address, text) for text in of_roles)


def too_old(password_at: datetime | None, days: int, at: datetime) -> bool:
    """True when the password has to be replaced; one of unknown age has."""
    return days > 0 and (password_at is None or at - password_at > timedelta(days=days))


def next_step(*, has_factor: bool, needs_factor: bool, given_factor: bool, needs_password: bool) -> str:
    """What still stands between this browser and its sign-in: code, enrol, password, or nothing."""
    if has_factor and not given_factor:
        return "code"
    if needs_factor and not has_factor:
        return "enrol"
    return "password" if needs_password else ""


def unknown_name(typed: str) -> str:
    """What may be kept of a name that is nobody's: people type passwords there."""
    return f"{typed[:2]}…" if typed else ""


_BROWSERS: Sequence[tuple[str, str]] = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS: Sequence[tuple[str, str]] = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_of(agent: str) -> str:
    """A browser as its owner knows it, such as Chrome · Windows."""
    named = [next((name for mark, name in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, named)) or agent[:40]
