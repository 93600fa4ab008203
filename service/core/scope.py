"""Which branches a transaction may see. PostgreSQL enforces it; this is the one place that tells it."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

SETTING = "ringdesk.branches"
_DECLARE = text("select set_config(:name, :value, true)")


@dataclass(frozen=True)
class Scope:
    """Branch ids that may be read and written; None means every branch."""

    branches: tuple[int, ...] | None

    @property
    def setting(self) -> str:
        """The value PostgreSQL's policies read: '*', or ids with commas, or '' for nothing."""
        return "*" if self.branches is None else ",".join(str(int(branch)) for branch in self.branches)

    def covers(self, branch_id: int) -> bool:
        """True when rows of that branch are inside."""
        return self.branches is None or branch_id in self.branches


ALL = Scope(None)
NONE = Scope(())


def declare(connection: Connection, scope: Scope) -> None:
    """The scope holds until the transaction ends; without this call nothing is visible."""
    connection.execute(_DECLARE, {"name": SETTING, "value": scope.setting})
