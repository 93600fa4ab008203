"""Recordings that are silent while a secret is spoken: which of them nobody needs silent any more."""

from collections.abc import Mapping
from dataclasses import dataclass

from telephony.acts import has, known_as
from telephony.livecall import LiveCall

Silence = tuple[str, str]  # the extension that asked for it, and a name of its call


@dataclass(frozen=True)
class Over:
    """Silences whose phone is out of the call, and those whose call is no more."""

    left: frozenset[Silence] = frozenset()
    gone: frozenset[Silence] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.left or self.gone)


@dataclass
class Silences:
    """What the database says is silent, held against what goes on at the switch."""

    open: frozenset[Silence] = frozenset()
    listed: bool = False  # before the first list of channels a call that is not known may go on all the same

    def over(self, calls: Mapping[str, LiveCall]) -> Over:
        """Those that have lost their reason by now."""
        if not (self.open and self.listed):
            return Over()
        found = {one: known_as(one[1], calls) for one in self.open}
        gone = frozenset(one for one, call in found.items() if call is None)
        left = frozenset(one for one, call in found.items() if call is not None and not has(one[0], call))
        return Over(left, gone)
