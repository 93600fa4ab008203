"""How to read one switch's names: which context is a trunk, which endpoint a phone of ours."""

import re
import tomllib
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path

_CHANNEL = re.compile(r"([^/]+)/(.+?)(?:-[0-9a-f]{8,})?(?:;[12])?\Z", re.DOTALL)


@dataclass(frozen=True)
class Switch:
    """The reading rules; the defaults fit a plain Asterisk and FreePBX."""

    name: str = "pbx1"
    trunk_contexts: tuple[str, ...] = ("from-*",)
    extension_pattern: str = r"\d+"

    @cached_property
    def _extension(self) -> re.Pattern[str]:
        return re.compile(self.extension_pattern)

    def is_trunk(self, channel: str, context: str) -> bool:
        """True when the channel came in by a trunk's context and is no phone of ours."""
        return self.extension(channel) is None and any(fnmatchcase(context, rule) for rule in self.trunk_contexts)

    def extension(self, channel: str) -> str | None:
        """Return the extension that the channel's endpoint is, None when it is none."""
        endpoint = parted(channel)[1]
        return endpoint if self._extension.fullmatch(endpoint) else None

    def party(self, channel: str) -> str:
        """Return the extension, else the interface as queues name it."""
        technology, endpoint = parted(channel)
        return self.extension(channel) or f"{technology}/{endpoint}"


@lru_cache(maxsize=4096)
def parted(channel: str) -> tuple[str, str]:
    """Return technology and endpoint of a channel name: `PJSIP/1001-0000002a` is ("PJSIP", "1001")."""
    found = _CHANNEL.match(channel)
    return (found.group(1), found.group(2)) if found else ("", channel)


def read_switch(path: Path) -> Switch:
    """Return the rules in a TOML file; raises ValueError with a sentence for what cannot be used."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} cannot be read as switch settings: {error}. Mend it and try again.") from error
    return _checked(path, values)


def _checked(path: Path, values: dict[str, object]) -> Switch:
    """The values as a Switch; an unknown or wrong one is refused."""
    switch = Switch()
    for name, value in values.items():
        if name == "trunk_contexts" and isinstance(value, list) and all(isinstance(item, str) for item in value):
            switch = replace(switch, trunk_contexts=tuple(value))
        elif name == "name" and isinstance(value, str):
            switch = replace(switch, name=value)
        elif name == "extension_pattern" and isinstance(value, str):
            switch = replace(switch, extension_pattern=_pattern(path, value))
        else:
            raise ValueError(f"{path}: {name} is not a switch setting, or not of its kind. Known are name, "
                             "trunk_contexts (a list of texts) and extension_pattern.")
    return switch


def _pattern(path: Path, value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{path}: extension_pattern is no regular expression: {error}. Correct it.") from error
    return value
