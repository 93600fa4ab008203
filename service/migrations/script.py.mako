"""${message}

Before you write: this runs while people work.
- A lock is waited for 4 s (lock_timeout in env.py) and then refused; run again in a quiet moment rather than raise it.
  Everyone who comes after a waiting lock waits behind it.
- Adding a nullable column or one with a constant default is instant. A volatile default rewrites the table.
- An index on a big table: create index concurrently, in a migration of its own without a transaction.
- A new check or foreign key: add it "not valid", then validate it in a second migration.
- Never edit a merged migration; write the next one. Never rename or drop in the release that stops using it.
- A new business table needs branch_id and rules.scoped, rights need rules.granted, and the night needs rules.extracted.
"""

from service.migrations import rules

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

TABLES = """
"""


def upgrade() -> None:
    """Say here what is true afterwards."""
    rules.run(TABLES)
