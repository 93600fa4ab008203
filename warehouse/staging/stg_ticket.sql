-- One row per ticket as it stood when the night began.
select
    id as ticket_id, number as ticket_number, branch_id, party_id, type as ticket_type, channel, priority, state, subject,
    assignee_id, registered_at, registered_on, response_due_at, resolve_due_at, accepted_at, accepted_on,
    coalesce(finished_at, closed_at) as resolved_at, coalesce(finished_on, closed_on) as resolved_on
from raw.ticket
