"""Reads Asterisk's configuration files: sections with options, templates, additions and includes; nothing is executed."""

import re
from dataclasses import dataclass
from pathlib import Path

_SECTION = re.compile(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?")
_OPTION = re.compile(r"([^=\[\]#;]+?)\s*=>?\s*(.*)")
_INCLUDE = re.compile(r"#(?:try)?include\s+[\"<]?([^\">]+)[\">]?")
DEPTH, SIZE = 8, 2_000_000
TRUE = ("yes", "true", "y", "t", "1", "on")
Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Conf:
    """The folder of a switch's configuration as it is seen from here."""

    folder: Path

    def has(self, file: str) -> bool:
        """True when the file is there and can be read."""
        return _text(self.folder / file) is not None

    def values(self, file: str, section: str, option: str) -> list[str]:
        """Every value of the option, in order; empty when it is not set."""
        return [value for name, value in _sections(self.folder, file).get(section, []) if name == option]

    def value(self, file: str, section: str, option: str) -> str | None:
        """The value that counts, the last one; None when it is not set."""
        found = self.values(file, section, option)
        return found[-1] if found else None

    def yes(self, file: str, section: str, option: str, *, default: bool = False) -> bool:
        """Whether the option is switched on."""
        found = self.value(file, section, option)
        return default if found is None else found.lower() in TRUE

    def sections(self, file: str) -> list[str]:
        """Names of the file's sections."""
        return list(_sections(self.folder, file))


def _sections(folder: Path, file: str) -> dict[str, Options]:
    found: dict[str, Options] = {}
    current: Options | None = None
    for line in _lines(folder, folder / file, 0):
        head = _SECTION.match(line)
        if head:
            current = found.setdefault(head[1].strip(), [])
            for parent in (head[2] or "").split(","):
                if parent.strip() not in ("", "!", "+"):
                    current += found.get(parent.strip(), [])
        elif current is not None and (option := _OPTION.match(line)):
            current.append((option[1].strip().lower(), option[2].strip()))
    return found


def _lines(folder: Path, path: Path, depth: int) -> list[str]:
    lines: list[str] = []
    for raw in (_text(path) or "").splitlines():
        line = re.split(r"(?<!\\);", raw, maxsplit=1)[0].strip()
        include = _INCLUDE.fullmatch(line)
        if include and depth < DEPTH:
            for inner in _included(folder, include[1].strip()):
                lines += _lines(folder, inner, depth + 1)
        elif line:
            lines.append(line)
    return lines


def _included(folder: Path, pattern: str) -> list[Path]:
    """Files of the folder alone: an absolute path means the switch's disk, not ours, and none leads outside."""
    relative = pattern.removeprefix("/etc/asterisk/").lstrip("/")
    if ".." in Path(relative).parts:
        return []
    return sorted(path for path in folder.glob(relative) if path.is_file())


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(SIZE).decode("utf-8", "replace")
    except OSError:
        return None
