-- One row per time that somebody passed the customer on.
select id, call_id, no, how, extension, staff_id, target, answered, at, branch_id, row_xid
from call_transfer
