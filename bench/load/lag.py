"""How long after the switch spoke a read came: the stamps in the bytes against the clock of who read them, one machine's both."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path

_STAMP = re.compile(rb"\nTimestamp: (\d+\.\d+)")


def lags(file: Path, since: float, until: float) -> list[float]:
    """Return each event's seconds from its stamp to the read that brought it, of events stamped between the two."""
    data = file.read_bytes()
    reads = [line.split() for line in file.with_name(file.name + ".times").read_text("ascii").splitlines()]
    starts, times = [int(offset) for offset, _ in reads], [float(at) for _, at in reads]
    found = []
    for stamp in _STAMP.finditer(data):
        at = float(stamp.group(1))
        if since <= at <= until:
            found.append(times[bisect_right(starts, stamp.end()) - 1] - at)
    return found


def percentile(values: Sequence[float] | Iterable[float], share: float) -> float:
    """Return the value below which that share lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
