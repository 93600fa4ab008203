-- One row per branch, queue, local day and half hour in which somebody called.
-- Answers: how many came, how many were answered in time, how many gave up, how long did all of them wait, and how much work was it?
-- Sums only; a ratio is taken when it is shown, over whatever span is asked for. Handled means answered; talk, hold and after-call
-- work are those of the handled, at the half hour in which the call came.
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
    cast(sum(coalesce(wait_seconds, 0)) as decimal(18, 3)) as wait_seconds,
    sum(level_hit) as level_hit,
    sum(level_counted) as level_counted,
    sum(answered) as handled,
    cast(sum(case when answered = 1 then coalesce(talk_seconds, 0) else 0 end) as decimal(18, 3)) as talk_seconds,
    cast(sum(case when answered = 1 then coalesce(hold_seconds, 0) else 0 end) as decimal(18, 3)) as hold_seconds,
    cast(sum(case when answered = 1 then coalesce(acw_seconds, 0) else 0 end) as decimal(18, 3)) as acw_seconds
from fact_call
where offered = 1 and started_on is not null
group by branch_id, queue, queue_label, started_on, weekday, half_hour
