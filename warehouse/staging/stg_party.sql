-- One row per customer.
select id as party_id, number as party_number, name as party_name, grade as party_grade, branch_id
from raw.party
