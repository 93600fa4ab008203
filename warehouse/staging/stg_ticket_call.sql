-- One row per call that a ticket remembers.
select ticket_id, switch, call_key, call_id, linked_at
from raw.ticket_call
