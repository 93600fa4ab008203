"""Audits: queries that return what must not be. One row is enough to keep yesterday's generation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from service.core.errors import DeskError
from warehouse.build import header

FOLDER = Path(__file__).parent / "audits"
SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """What one audit claims and how many rows contradict it; `examples` are the first of them."""

    name: str
    claim: str
    bad_rows: int
    examples: tuple[str, ...] = ()


class AuditFailed(DeskError):
    """The new generation contradicts itself or its source and must not be read."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"Audit “{finding.name}” found {finding.bad_rows} bad row(s): {'; '.join(finding.examples)}. "
                         f"It claims: {finding.claim} Correct these records and run the night again; "
                         "readers keep the last generation until then.")
        self.finding = finding


def findings(connection: duckdb.DuckDBPyConnection, progress: Callable[[str, int, int], None]) -> list[Finding]:
    """The verdict of every audit, bad or not, kept in `meta.audit`."""
    paths = sorted(FOLDER.glob("*.sql"))
    connection.execute("create or replace table meta.audit (name text, claim text, bad_rows bigint)")
    found = []
    for done, path in enumerate(paths):
        progress(path.stem, done, len(paths))
        finding = _ask(connection, path)
        connection.execute("insert into meta.audit values (?, ?, ?)", [finding.name, finding.claim, finding.bad_rows])
        found.append(finding)
    return found


def refuse_bad(found: list[Finding]) -> None:
    """Passes when no audit found a row; raises AuditFailed for the first that did."""
    for finding in found:
        if finding.bad_rows:
            raise AuditFailed(finding)


def _ask(connection: duckdb.DuckDBPyConnection, path: Path) -> Finding:
    sql = path.read_text("utf-8")
    result = connection.execute(sql)
    names = [column[0] for column in result.description or []]
    bad = result.fetchall()
    examples = tuple(", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True)) for row in bad[:SHOWN])
    return Finding(path.stem, header(sql), len(bad), examples)
