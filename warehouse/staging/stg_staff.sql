-- One row per person.
select id as staff_id, name as staff_name, branch_id
from raw.staff
