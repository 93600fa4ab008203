-- One row per agent, local day and unbroken state: a state that lasts over midnight is cut there. Who is signed out has none.
-- Answers: how long did agents ring, talk, hold, write things down, wait ready or pause, and after which call did they write?
-- The state that still goes on ends, for this generation, at the moment it was made.
-- Read by: dashboards/questions/handling.py, for occupancy.
with stint as (
    select
        c.change_id,
        c.staff_id,
        c.branch_id,
        c.switch,
        c.call_key,
        c.state,
        c.reason,
        c.began_at,
        coalesce(lead(c.began_at) over (partition by c.staff_id order by c.began_at, c.change_id), run.as_of) as ended_at
    from stg_agent_state_change as c
    cross join ops.run as run
)

select
    s.change_id,
    s.staff_id,
    p.staff_name,
    s.branch_id,
    s.state,
    s.reason,
    c.call_id as followed_call_id,
    d.local_day as spent_on,
    cast(date_diff('day', date '2024-01-01', d.local_day) % 7 as integer) as weekday,
    greatest(s.began_at, d.begins_at) as began_at,
    least(s.ended_at, d.ends_at) as ended_at,
    cast(
        cast(date_diff('microsecond', greatest(s.began_at, d.begins_at), least(s.ended_at, d.ends_at)) as decimal(18, 0))
        * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)
    ) as seconds
from stint as s
inner join stg_local_day as d on s.began_at < d.ends_at and s.ended_at > d.begins_at
left join stg_staff as p on s.staff_id = p.staff_id
left join stg_call as c on s.state = 'acw' and s.switch = c.switch and s.call_key = c.call_key
where s.state <> 'offline' and s.began_at < s.ended_at
