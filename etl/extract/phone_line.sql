-- One row per queue and per number of ours that can be dialled.
select id, switch, kind, name, label, branch_id, row_xid
from phone_line
