"""The index of what is searched for keeps no list of entries still to be put in order.

After many writes (an import, a rebuild) such a list is long until the next vacuum: each search reads it, and the planner, who
counts that, rather reads the whole table. Putting each entry in order at once costs its writer some thirty microseconds.
"""

from service.migrations import rules

revision = "0035"
down_revision = "0034"

INDEX = """
alter index ix_search_entry_tokens set (fastupdate = off);
select gin_clean_pending_list('ix_search_entry_tokens');
"""


def upgrade() -> None:
    """What was put off is done, and nothing is put off any more."""
    rules.run(INDEX)
