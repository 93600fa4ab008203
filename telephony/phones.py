"""What each phone of ours does, whatever number of calls it has: idle, ringing, talking, holding. Pure: changes in, states out."""

from dataclasses import dataclass
from datetime import datetime

from telephony.floor import Change
from telephony.livecall import Leg, LiveCall

ORDER = ("talking", "hold", "ringing")  # of several calls at one phone the first of these is what it does


@dataclass(frozen=True, slots=True)
class Doing:
    """One phone at one moment; `customer` when the other side is none of ours."""

    extension: str
    phase: str
    at: datetime | None
    customer: bool = False
    call_key: str | None = None


class Phones:
    """Remembers what each phone does in each call, so that only a change is news."""

    def __init__(self) -> None:
        self._at: dict[str, dict[str, Doing]] = {}  # extension to what each of its calls makes it do
        self._in: dict[str, set[str]] = {}  # call to the extensions that it keeps busy
        self._told: dict[str, Doing] = {}

    def hear(self, change: Change) -> list[Doing]:
        """Return the phones that do something else now."""
        old, new = change.old, change.new
        if old is not None and old.legs is new.legs and old.key == new.key and not new.ended:
            return []
        touched = self._forget(new.key) | (self._forget(old.key) if old is not None else set())
        for one in () if new.ended else doing(new, change.at):
            self._at.setdefault(one.extension, {})[new.key] = one
            self._in.setdefault(new.key, set()).add(one.extension)
            touched.add(one.extension)
        return [one for extension in sorted(touched) for one in self._news(extension, change.at)]

    def busy(self) -> set[str]:
        """The extensions that do something now."""
        return set(self._at)

    def now(self) -> list[Doing]:
        """What every busy phone does, for whoever may have missed it."""
        return list(self._told.values())

    def _forget(self, key: str) -> set[str]:
        known = self._in.pop(key, set())
        for extension in known:
            calls = self._at[extension]
            calls.pop(key, None)
            if not calls:
                del self._at[extension]
        return known

    def _news(self, extension: str, at: datetime | None) -> list[Doing]:
        calls = self._at.get(extension, {}).values()
        now = min(calls, key=lambda one: ORDER.index(one.phase), default=Doing(extension, "idle", at))
        before = self._told.get(extension, Doing(extension, "idle", at))
        if (before.phase, before.call_key, before.customer) == (now.phase, now.call_key, now.customer):
            return []
        if now.phase == "idle":
            self._told.pop(extension, None)
        else:
            self._told[extension] = now
        return [now]


def parties(call: LiveCall) -> set[str]:
    """The extensions that the call has ever touched."""
    return {leg.party for leg in call.legs.values() if leg.party and leg.party.isdigit()}


def doing(call: LiveCall, at: datetime | None) -> list[Doing]:
    """What the call makes each of its phones do."""
    customer = any(leg.trunk for leg in call.legs.values()) and call.role is None
    found = []
    for extension in parties(call):
        phases = [phase for leg in call.legs.values() if leg.party == extension and (phase := phase_of(leg))]
        if phases:
            found.append(Doing(extension, min(phases, key=ORDER.index), at, customer, call.key))
    return found


def phase_of(leg: Leg) -> str | None:
    """What one leg makes its phone do; None when nothing."""
    if leg.ended or leg.local:
        return None
    if leg.up or not (leg.dialled or leg.rang):  # who dials by themselves is busy from the first moment on
        return "hold" if leg.held else "talking"
    return "ringing" if leg.rang else None
