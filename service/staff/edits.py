"""Two people at the same record: whoever saves upon an older version is told what the other one saved, beside what they typed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from flask_babel import gettext as _

from service.core.errors import DeskError


@dataclass(frozen=True)
class Difference:
    """One field: as it is saved now, and as it was typed."""

    field: str
    saved: object
    typed: object


class Overtaken(DeskError):
    """Somebody else saved the record while it was being edited; nothing of this save was kept."""

    def __init__(self, version: int, differences: list[Difference]) -> None:
        super().__init__(
            _("Somebody else saved this meanwhile. Compare the two below; saving again keeps what stands in the form.")
        )
        self.version, self.differences = version, differences


def check(now: int, seen: int, saved: Mapping[str, object], typed: Mapping[str, object]) -> None:
    """Nothing happens when the record is as the person saw it."""
    if now != seen:
        raise Overtaken(now, [Difference(name, saved[name], typed[name]) for name in typed if saved[name] != typed[name]])


def in_words(error: Overtaken, words: Mapping[str, Callable[[str], object]]) -> None:
    """Numbers and codes among the values are told by their words; of several with commas between them each by its own."""
    error.differences = [replace(one, saved=_said(one.saved, words.get(one.field)), typed=_said(one.typed, words.get(one.field))) for one in error.differences]


def _said(value: object, word: Callable[[str], object] | None) -> object:
    return value if word is None or value in (None, "") else ", ".join(str(word(part)) for part in str(value).split(", "))


def changed(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that differ, with what was before and what is after; both empty when nothing does."""
    names = [name for name in new if old.get(name) != new[name]]
    return {name: old.get(name) for name in names}, {name: new[name] for name in names}
