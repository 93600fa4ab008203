"""A generation becomes the one that is read: a new file, a rename, a pointer; each step on disk before the next."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from warehouse.engine import POINTER, building_name, current, generation_name, number_of

KEPT = 3


def next_number(folder: Path) -> int:
    """One more than any generation that was ever published here and is still known."""
    numbers = [number_of(path.name) for path in folder.glob("gen-*.duckdb")]
    return max(numbers, default=0) + 1


def read_number(folder: Path) -> int:
    """The generation that readers see; 0 before the first."""
    read = current(folder)
    return number_of(read.name) if read else 0


def start(folder: Path, number: int, copy_of: Path | None) -> Path:
    """The building file: a copy of the last generation, or nothing yet; what a killed night left is swept away."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    path = folder / building_name(number)
    if copy_of is not None:
        shutil.copyfile(copy_of, path)
    return path


def sweep(folder: Path) -> None:
    """No building file, write-ahead log or spill of a dead night is left; only the holder of the night's lock may call this."""
    for pattern in ("gen-*.building", "gen-*.building.wal", "*.tmp"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    shutil.rmtree(folder / "spill", ignore_errors=True)


def publish(building: Path, number: int, reached: Callable[[str], None] = lambda _point: None) -> Path:
    """Readers see the generation; before the last rename they see the one before it, whole.

    `reached` is told each point in turn; the fault tests end the process there.
    """
    folder = building.parent
    final = folder / generation_name(number)
    sync(building)
    reached("built")
    building.replace(final)
    sync(folder)
    reached("renamed")
    point(folder, final.name)
    reached("pointed")
    sync(folder)
    prune(folder)
    return final


def point(folder: Path, name: str) -> None:
    """The pointer names the file; it never names nothing in between."""
    fresh = folder / f"{POINTER}.tmp"
    fresh.unlink(missing_ok=True)
    if os.name == "nt":
        fresh.write_text(name, "utf-8")
    else:
        fresh.symlink_to(name)
    fresh.replace(folder / POINTER)


def sync(path: Path) -> None:
    """The bytes, or the folder's names, are on disk."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def prune(folder: Path) -> None:
    """The newest generations and the one that is read stay; a reader of an older one keeps its open file."""
    read = current(folder)
    files = sorted(folder.glob("gen-*.duckdb"), key=lambda path: number_of(path.name), reverse=True)
    for path in files[KEPT:]:
        if path != read:
            with suppress(OSError):  # Windows keeps a file that is open; the next night takes it
                path.unlink()
