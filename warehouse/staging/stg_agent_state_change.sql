-- One row per move of an agent from one state to another.
select id as change_id, staff_id, branch_id, switch, extension, call_key, new as state, reason, "at" as began_at
from raw.agent_state_change
