-- One row per month of registration, branch and priority.
-- Answers: how many promises were met, missed, or are still open?
-- Read by: dashboards/pages/sla.py.
select
    registered_month,
    branch_id,
    branch_name,
    priority,
    count(*) as tickets,
    count(case when response_promise = 'met' then 1 end) as response_met,
    count(case when response_promise = 'missed' then 1 end) as response_missed,
    count(case when response_promise = 'pending' then 1 end) as response_pending,
    count(case when resolve_promise = 'met' then 1 end) as resolve_met,
    count(case when resolve_promise = 'missed' then 1 end) as resolve_missed,
    count(case when resolve_promise = 'pending' then 1 end) as resolve_pending
from fact_ticket
group by registered_month, branch_id, branch_name, priority
