-- One row per call that a ticket remembers.
select id, ticket_id, switch, call_key, linked_at, branch_id, row_xid
from ticket_call
