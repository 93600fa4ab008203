-- One row per branch.
-- Answers: what is this branch called?
-- Read by: dashboards/questions/calls.py, the branch filter of every board.
select branch_id, branch_code, branch_name, branch_name_en
from stg_branch
