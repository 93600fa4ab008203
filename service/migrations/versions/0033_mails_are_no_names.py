"""A mail address is found by its parts for those alone who may see it: parties are indexed anew, since their mails were among the names."""

from alembic import op

revision = "0033"
down_revision = "0032"

REBUILD = """
insert into job (name, args, dedupe, created_at, run_at, max_attempts)
select 'search.rebuild', '{}', 'all', now(), now(), 5
where exists (select from party where email <> '') or exists (select from contact_mail) on conflict do nothing;
"""


def upgrade() -> None:
    """The index is made anew in the background."""
    op.execute(REBUILD)
