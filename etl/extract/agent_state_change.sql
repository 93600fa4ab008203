-- One row per move of an agent from one state to another.
select id, staff_id, at, old, new, reason, extension, switch, call_key, branch_id, row_xid
from agent_state_change
