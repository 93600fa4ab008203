"""Who uses the machine: processor seconds by group of processes, their ended children included."""

import os
import time
from collections.abc import Iterable

import psutil


def seconds(roots: Iterable[int]) -> float:
    """Processor seconds that these processes and all below them have used until now."""
    used = 0.0
    for root in roots:
        try:
            family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        for member in family:
            try:
                used += sum(member.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue
    return used


class Meter:
    """Cores that each group kept busy between two looks."""

    def __init__(self, groups: dict[str, list[int]]) -> None:
        self.groups = groups
        self.began = time.monotonic()
        self._before = {name: seconds(roots) for name, roots in groups.items()}
        self._own = os.times()
        psutil.cpu_percent()

    def read(self) -> dict[str, float]:
        """Cores by group; `bench` is this process alone, `others` strangers, `all` the machine."""
        wall = time.monotonic() - self.began
        found = {name: (seconds(roots) - self._before[name]) / wall for name, roots in self.groups.items()}
        own = os.times()
        found["bench"] = (own.user + own.system - self._own.user - self._own.system) / wall
        busy = psutil.cpu_percent() / 100 * (psutil.cpu_count() or 1)
        found["others"] = max(0.0, busy - sum(found.values()))
        found["all"] = busy
        return found
