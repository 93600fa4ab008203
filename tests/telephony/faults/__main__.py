"""`python -m tests.telephony.faults`: every capture with every harm, as a table of what went wrong."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator

from telephony.event import Event
from tests.telephony.faults import harm

HARMS: dict[str, tuple[Callable[[list[Event], int], list[Event]], int]] = {
    "dropped": (harm.dropped, 1), "doubled": (harm.doubled, 1), "swapped": (harm.swapped, 1), "cut": (harm.cut, harm.CUT),
}


def tried(heard: list[Event], name: str) -> Iterator[tuple[str, Event]]:
    """Yield for each place what the harm there did: fine, raised, wrong, leaked."""
    hurt, step = HARMS[name]
    true = harm.outcome(harm.play(heard))
    for at in range(0, len(heard) - (name == "swapped"), step):
        try:
            played = harm.play(hurt(heard, at))
        except Exception as error:
            yield f"raised {error!r}", heard[at]
            continue
        if played.floor.calls or played.floor.live_ids:
            yield "leaked", heard[at]
        yield ("fine" if harm.outcome(played) == true else "wrong"), heard[at]


def main(folders: list[str]) -> int:
    """Print the table; which events it hurts to miss comes after it."""
    totals: dict[str, Counter[str]] = {name: Counter() for name in HARMS}
    hurts: dict[str, Counter[str]] = {name: Counter() for name in HARMS}
    names = harm.captures(*(folders or ["asterisk-22", "asterisk-16", "further-22"]))
    for capture in names:
        heard = harm.events(capture)
        for name in HARMS:
            for said, event in tried(heard, name):
                word = said.split()[0]
                totals[name][word] += 1
                if word != "fine":
                    hurts[name][f"{event.name} {word}"] += 1
                    if "-v" in sys.argv:
                        print(capture, name, event.offset, event.name, said, file=sys.stderr)
    print(f"{len(names)} captures\n{'harm':10}{'places':>8}{'raised':>8}{'leaked':>8}{'wrong':>8}{'wrong %':>9}")
    for name, counts in totals.items():
        places = counts["fine"] + counts["wrong"] + counts["raised"]
        print(f"{name:10}{places:8}{counts['raised']:8}{counts['leaked']:8}{counts['wrong']:8}{100 * counts['wrong'] / places:8.2f}%")
    for name, words in hurts.items():
        print(f"{name}: {', '.join(f'{word} {n}' for word, n in words.most_common(14))}")
    return 0


if __name__ == "__main__":
    sys.exit(main([arg for arg in sys.argv[1:] if not arg.startswith("-")]))
