-- One row per customer, with the local day on which it was first written down.
select
    id, number, name, kind, grade, credit_days, branch_id, created_at,
    created_at::date as created_on,
    row_xid
from party
