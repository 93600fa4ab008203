-- One row per caller whom nobody answered, with the local day of the first try.
select
    id, number, switch, queue, party_id, first_at, last_at, calls, owner_id, closed_at, closed_by, closing_call_id, why, branch_id,
    first_at::date as first_on,
    row_xid
from missed_caller
