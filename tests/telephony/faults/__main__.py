"""`python -m tests.telephony.faults [-v] [FOLDER …]`: every capture with every harm, before and after the switch's files were read."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator

from telephony.event import Event
from tests.telephony.faults import after, harm

HARMS: dict[str, tuple[Callable[[list[Event], int], list[Event]], int]] = {
    "dropped": (harm.dropped, 1), "doubled": (harm.doubled, 1), "swapped": (harm.swapped, 1), "cut": (harm.cut, harm.CUT),
}
FOLDERS = ("asterisk-22", "asterisk-16", "further-22", "further-16")
WORDS = ("raised", "leaked", "wrong", "open after", "wrong after")


def tried(heard: list[Event], name: str, capture: str = "") -> Iterator[tuple[str, Event]]:
    """Yield for each place what the harm there did: fine, raised, wrong, leaked; with a capture also what its files left."""
    hurt, step = HARMS[name]
    whole = harm.play(heard)
    true = harm.outcome(whole)
    written = after.outcome(after.books(whole, capture)) if capture else []
    for at in range(0, len(heard) - (name == "swapped"), step):
        try:
            played = harm.play(hurt(heard, at))
        except Exception as error:
            yield f"raised {error!r}", heard[at]
            continue
        if played.floor.calls or played.floor.live_ids:
            yield "leaked", heard[at]
        yield ("fine" if harm.outcome(played) == true else "wrong"), heard[at]
        if capture:
            yield from ((word, heard[at]) for word in _after(played, capture, written))


def _after(played: harm.replay.Played, capture: str, true: list[tuple[object, ...]]) -> Iterator[str]:
    """Yield what is not as it was though the files were read."""
    told = after.books(played, capture)
    if any(fact.live for fact in told):
        yield "open after"
    if after.outcome(told) != true:
        yield "wrong after"


def main(folders: list[str]) -> int:
    """Print the table; which events it hurts to miss comes after it."""
    totals: dict[str, Counter[str]] = {name: Counter() for name in HARMS}
    hurts: dict[str, Counter[str]] = {name: Counter() for name in HARMS}
    names = harm.captures(*(folders or FOLDERS))
    for capture in names:
        heard = harm.events(capture)
        for name in HARMS:
            for said, event in tried(heard, name, capture):
                word = said if said.endswith("after") else said.split()[0]
                totals[name][word] += 1
                if word != "fine":
                    hurts[name][f"{event.name} {word}"] += 1
                    if "-v" in sys.argv:
                        print(capture, name, event.offset, event.name, said, file=sys.stderr)
    print(f"{len(names)} captures\n{'harm':10}{'places':>8}" + "".join(f"{word:>13}" for word in WORDS))
    for name, counts in totals.items():
        places = counts["fine"] + counts["wrong"] + counts["raised"]
        shares = "".join(f"{counts[word]:6} {100 * counts[word] / places:5.2f}%" for word in WORDS)
        print(f"{name:10}{places:8}{shares}")
    for name, words in hurts.items():
        print(f"{name}: {', '.join(f'{word} {n}' for word, n in words.most_common(14))}")
    return 0


if __name__ == "__main__":
    sys.exit(main([arg for arg in sys.argv[1:] if not arg.startswith("-")]))
