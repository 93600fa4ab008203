-- The half hours add up to the calls, queue by queue.
with by_call as (
    select branch_id, queue, sum(offered) as offered, sum(answered) as answered, sum(abandoned) as abandoned, sum(within_limit) as within_limit,
        sum(level_hit) as level_hit, sum(level_counted) as level_counted
    from fact_call
    where offered = 1 and started_on is not null
    group by branch_id, queue
),

by_interval as (
    select branch_id, queue, sum(offered) as offered, sum(answered) as answered, sum(abandoned) as abandoned, sum(within_limit) as within_limit,
        sum(level_hit) as level_hit, sum(level_counted) as level_counted
    from call_interval
    group by branch_id, queue
)

select c.branch_id, c.queue, c.offered as calls, i.offered as in_intervals
from by_call as c
full join by_interval as i on c.branch_id = i.branch_id and c.queue = i.queue
where
    c.offered is distinct from i.offered
    or c.answered is distinct from i.answered
    or c.abandoned is distinct from i.abandoned
    or c.within_limit is distinct from i.within_limit
    or c.level_hit is distinct from i.level_hit
    or c.level_counted is distinct from i.level_counted
