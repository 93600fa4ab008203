-- One row per caller whom nobody answered, from the first try until somebody has spoken with them.
-- Answers: who of the missed was spoken with in time, and after how long?
-- Recovered means: called back or calling again and answered within the hours of the policy of the day of the first try. Judged
-- means: recovered, or those hours have passed.
-- Read by: dashboards/questions/handling.py, for callback recovery.
with spoken as (
    select
        m.caller_id,
        m.branch_id,
        m.switch || '/' || m.queue as queue,
        m.first_at,
        m.first_on,
        m.why,
        p.policy_version,
        p.recovery_hours,
        case when m.why in ('called again', 'called back') then date_diff('microsecond', m.first_at, m.closed_at) end as recall_us
    from stg_missed_caller as m
    left join dim_kpi_policy as p on m.first_on between p.first_on and p.last_on
)

select
    s.caller_id,
    s.branch_id,
    s.queue,
    s.first_at,
    s.first_on,
    cast(date_diff('day', date '2024-01-01', s.first_on) % 7 as integer) as weekday,
    s.why,
    case when s.recall_us <= s.recovery_hours * 3600000000 then 1 else 0 end as recovered,
    case
        when
            s.recall_us <= s.recovery_hours * 3600000000
            or date_diff('microsecond', s.first_at, run.as_of) >= s.recovery_hours * 3600000000
            then 1
        else 0
    end as judged,
    s.recall_us // 1000000 as recall_seconds,
    s.policy_version
from spoken as s
cross join ops.run as run
