-- One row per branch.
select id as branch_id, code as branch_code, name as branch_name, name_en as branch_name_en
from raw.branch
