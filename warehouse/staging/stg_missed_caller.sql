-- One row per caller whom nobody answered, from the first try until somebody has spoken with them.
select
    id as caller_id, branch_id, switch, queue, party_id, first_at, first_on, last_at, calls as tries, closed_at, why,
    closing_call_id
from raw.missed_caller
