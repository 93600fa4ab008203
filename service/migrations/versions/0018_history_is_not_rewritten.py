"""The audit tells from where something was done, and nobody rewrites it: rights refuse it, and a trigger does."""

from service.migrations import rules

revision = "0018"
down_revision = "0017"

TABLES = """
alter table audit_entry add column address text default '' not null;
create index ix_audit_entry_at on audit_entry (at, id);
create index ix_audit_entry_entity on audit_entry (entity, entity_id, id);
create index ix_audit_entry_by_id on audit_entry (by_id, id);

create function ringdesk_append_only() returns trigger language plpgsql as
    $$ begin raise exception '% is history: it is added to and never changed', tg_table_name; end $$;

create trigger append_only before update or delete on audit_entry for each row execute function ringdesk_append_only();
create trigger append_only_whole before truncate on audit_entry for each statement execute function ringdesk_append_only();

update role set permissions = permissions || ',audit.read' where name = 'admin' and permissions <> '';
"""


def upgrade() -> None:
    """What is in the audit stays as it was written."""
    rules.run(TABLES)
