"""Two people at the same record: whoever saves upon an older version is told what the other one saved, beside what they typed."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from service.core.editing import Differing, Stale


class Overtaken(Stale):
    """Somebody else saved the record while it was being edited; nothing of this save was kept."""

    def __init__(self, version: int, differences: list[Differing]) -> None:
        super().__init__()
        self.version, self.differences = version, differences


def check(now: int, seen: int, saved: Mapping[str, object], typed: Mapping[str, object]) -> None:
    """Nothing happens when the record is as the person saw it."""
    if now != seen:
        raise Overtaken(now, [Differing(name, saved[name], typed[name]) for name in typed if saved[name] != typed[name]])


def in_words(error: Overtaken, words: Mapping[str, Callable[[str], object]]) -> None:
    """Numbers and codes among the values are told by their words; of several with commas between them each by its own."""
    error.differences = [replace(one, saved=_said(one.saved, words.get(one.name)), typed=_said(one.typed, words.get(one.name))) for one in error.differences]


def _said(value: object, word: Callable[[str], object] | None) -> object:
    return value if word is None or value in (None, "") else ", ".join(str(word(part)) for part in str(value).split(", "))


def changed(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that differ, with what was before and what is after; both empty when nothing does."""
    names = [name for name in new if old.get(name) != new[name]]
    return {name: old.get(name) for name in names}, {name: new[name] for name in names}
