"""Whole phone numbers are for those who have the right, and others may uncover one at a time."""

from service.migrations import rules

revision = "0021"
down_revision = "0020"

GRANTS = """
update role set permissions = permissions || ',phone.read' where name in ('supervisor', 'manager', 'admin') and permissions <> '';
update role set permissions = permissions || ',phone.reveal'
where name in ('agent', 'technician', 'supervisor', 'manager', 'admin') and permissions <> '';
update role set permissions = permissions || ',amount.read'
where name in ('agent', 'supervisor', 'finance', 'manager', 'admin') and permissions <> '';
update role set permissions = permissions || ',cost.read' where name in ('finance', 'manager', 'admin') and permissions <> '';
"""

# Who may not search by a part of a number finds it by the whole one, which has a lexeme of its own.
REBUILD = """
insert into job (name, args, dedupe, created_at, run_at, max_attempts)
select 'search.rebuild', '{}', 'all', now(), now(), 5 where exists (select from party) on conflict do nothing;
"""


def upgrade() -> None:
    """The shipped roles have the rights that they start with, and whole numbers are found."""
    rules.run(GRANTS)
    rules.run(REBUILD)
