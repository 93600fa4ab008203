-- One row per call that has ended; a call under way belongs to the next night.
select
    id as call_id, switch, call_key, branch_id, direction, queue, caller_number, caller_e164, caller_name, called,
    agent as extension, staff_id, party_id, disposition, hangup_by, provenance, end_certain,
    started_at, started_on, started_local, ended_at, wait_seconds, talk_seconds, hold_seconds, total_seconds, recorded
from raw.call
where not live
