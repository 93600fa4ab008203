"""A customer is found by the numbers of its contracts: what is on file already is indexed anew."""

from service.migrations import rules

revision = "0034"
down_revision = "0033"

REBUILD = """
insert into job (name, args, dedupe, created_at, run_at, max_attempts)
select 'search.rebuild', '{}', 'all', now(), now(), 5 where exists (select from contract where number <> '') on conflict do nothing;
"""


def upgrade() -> None:
    """The index is built anew by the next free worker."""
    rules.run(REBUILD)
