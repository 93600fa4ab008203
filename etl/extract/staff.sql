-- One row per person; a password hash never leaves the operational database.
select id, username, name, branch_id, active, row_xid
from staff
