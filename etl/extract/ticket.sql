-- One row per ticket as it stands, each of its moments with the local day.
select
    id, number, party_id, device_id, type, channel, priority, state, subject, assignee_id, registered_by_id,
    registered_at, response_due_at, resolve_due_at, assigned_at, accepted_at, started_at, finished_at, closed_at, branch_id,
    registered_at::date as registered_on,
    response_due_at::date as response_due_on,
    resolve_due_at::date as resolve_due_on,
    accepted_at::date as accepted_on,
    finished_at::date as finished_on,
    closed_at::date as closed_on,
    row_xid
from ticket
