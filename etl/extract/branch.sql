-- One row per branch of the firm.
select id, code, name, name_en, parent_id, row_xid
from branch
