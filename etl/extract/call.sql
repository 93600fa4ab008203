-- One row per call as the switch told it, with its local day and its local wall clock. A call that a person joined to
-- another does not end by itself: it never leaves the state of one that goes on, and the other shows both.
select
    id, switch, call_key, direction, caller_number, caller_e164, caller_name, called, queue, agent, answered_by,
    staff_id, party_id, disposition, hangup_by, started_at, queued_at, answered_at, ended_at,
    wait_seconds, talk_seconds, hold_seconds, total_seconds, recorded, live or joined_to_id is not null as live, provenance, end_certain, branch_id,
    started_at::date as started_on,
    started_at::timestamp as started_local,
    ended_at::date as ended_on,
    row_xid
from call
