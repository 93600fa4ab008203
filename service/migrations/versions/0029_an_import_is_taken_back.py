"""A device that came by an import and is taken back takes along the one line that says so.

Lines of a device's history are never deleted by the app. One exception: a device that a table brought and that nothing has happened
to since was never there, once its import is taken back. The owner deletes that line, within the declared branches, and no other.
"""

from service.migrations import rules

revision = "0029"
down_revision = "0028"

FUNCTION = """
create function ringdesk_device_unimported(ids bigint[]) returns void language sql security definer set search_path from current as $function$
    delete from device_event e where e.device_id = any (ids) and e.kind = 'imported' and e.old is null
        and (ringdesk_sees_all() or e.branch_id = any (ringdesk_branches()))
        and not exists (select from device_event other where other.device_id = e.device_id and other.id <> e.id)
$function$;
"""


def upgrade() -> None:
    """The app may ask for it."""
    rules.run(FUNCTION)
    rules.run("revoke execute on function ringdesk_device_unimported(bigint[]) from public")
    rules.run(f'grant execute on function ringdesk_device_unimported(bigint[]) to "{rules.app_role()}"')
