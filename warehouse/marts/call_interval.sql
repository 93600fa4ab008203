-- One row per branch, queue, local day and half hour in which somebody called.
-- Answers: how many came, how many were answered in time, how many gave up, how long did all of them wait?
-- Sums only; a ratio is taken when it is shown, over whatever span is asked for.
-- Read by: dashboards/questions/calls.py, the load of a working day; dashboards/questions/staffing.py, who is needed for it.
select
    branch_id,
    queue,
    queue_label,
    started_on,
    weekday,
    half_hour,
    sum(offered) as offered,
    sum(answered) as answered,
    sum(abandoned) as abandoned,
    sum(short_abandoned) as short_abandoned,
    sum(within_limit) as within_limit,
    cast(sum(coalesce(wait_seconds, 0)) as decimal(18, 3)) as wait_seconds
from fact_call
where offered = 1 and started_on is not null
group by branch_id, queue, queue_label, started_on, weekday, half_hour
