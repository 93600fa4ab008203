"""What a check found: a code and its values for the desk to put into words, and the exact lines to change."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How bad it is; `unseen` means that it could not be looked at from here."""

    OK = "ok"
    UNSEEN = "unseen"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Fix:
    """Lines as they should stand in that file, and the command that makes the switch read them."""

    file: str
    lines: tuple[str, ...]
    then: str = ""


@dataclass(frozen=True)
class Finding:
    """One answer of one check. `check.code` names a sentence; `values` are what it is filled with."""

    check: str
    code: str
    verdict: Verdict
    values: dict[str, str] = field(default_factory=dict)
    fixes: tuple[Fix, ...] = ()

    def plain(self) -> dict[str, Any]:
        """The finding as it is kept and sent."""
        fixes = [{"file": fix.file, "lines": list(fix.lines), "then": fix.then} for fix in self.fixes]
        return {"check": self.check, "code": self.code, "verdict": str(self.verdict), "values": self.values, "fixes": fixes}


def ok(check: str, code: str = "ok", *fixes: Fix, **values: object) -> Finding:
    """As it should be."""
    return _found(check, code, Verdict.OK, values, fixes)


def unseen(check: str, code: str = "unseen", *fixes: Fix, **values: object) -> Finding:
    """Nothing can be said from here; the lines are right in any case."""
    return _found(check, code, Verdict.UNSEEN, values, fixes)


def warning(check: str, code: str, *fixes: Fix, **values: object) -> Finding:
    """Calls are heard, but something is less safe or less exact than it could be."""
    return _found(check, code, Verdict.WARNING, values, fixes)


def wrong(check: str, code: str, *fixes: Fix, **values: object) -> Finding:
    """Calls, recordings or figures suffer until this is changed."""
    return _found(check, code, Verdict.WRONG, values, fixes)


def _found(check: str, code: str, verdict: Verdict, values: dict[str, object], fixes: tuple[Fix, ...]) -> Finding:
    return Finding(check, f"{check}.{code}", verdict, {name: _text(value) for name, value in values.items()}, fixes)


def _text(value: object) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        shown = [str(one) for one in (value if isinstance(value, (list, tuple)) else sorted(value, key=str))]
        return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "")
    return str(value)
