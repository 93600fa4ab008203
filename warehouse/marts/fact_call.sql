-- One row per call that has ended.
-- Answers: who waited how long, who was answered in time, who gave up, what became of it, and which ticket came of it?
-- Offered means: inbound, entered a queue. Each call is measured by the policy of its local day (dim_kpi_policy): short means
-- gave up before the limit, and the service level is level_hit of level_counted, by that policy's formula.
-- Judged means: answered, of a known customer, and old enough for first contact; kept means: nothing more came in those days,
-- neither a call of the customer nor a ticket other than the call's own.
-- Read by: dashboards/questions/calls.py, for the board and the workbook sheet "Calls".
with first_ticket as (
    select call_id, min(ticket_id) as ticket_id
    from stg_ticket_call
    where call_id is not null
    group by call_id
),

outcome as (
    select
        call_id,
        party_id,
        started_at,
        started_on,
        wait_seconds,
        case when direction = 'inbound' and queue is not null then 1 else 0 end as offered,
        case when direction = 'inbound' and queue is not null and disposition in ('answered', 'transferred', 'conference') then 1 else 0 end as answered,
        case when direction = 'inbound' and queue is not null and disposition = 'abandoned' then 1 else 0 end as abandoned,
        case when direction = 'inbound' then lead(started_at) over (partition by direction, party_id order by started_at, call_id) end
            as next_call_at
    from stg_call
),

measured as (
    select
        o.call_id,
        o.party_id,
        o.started_at,
        o.next_call_at,
        o.offered,
        o.answered,
        o.abandoned,
        p.policy_version,
        p.level_formula,
        p.fcr_days,
        case when o.abandoned = 1 and o.wait_seconds < p.short_seconds then 1 else 0 end as short_abandoned,
        case when o.answered = 1 and o.wait_seconds <= p.within_seconds then 1 else 0 end as within_limit,
        case when o.abandoned = 1 and o.wait_seconds <= p.within_seconds then 1 else 0 end as abandoned_within,
        case when o.abandoned = 1 and o.wait_seconds > p.within_seconds then 1 else 0 end as abandoned_late,
        case
            when
                o.answered = 1 and o.party_id is not null
                and date_diff('microsecond', o.started_at, run.as_of) >= p.fcr_days * 86400000000
                then 1
            else 0
        end as judged
    from outcome as o
    cross join ops.run as run
    left join dim_kpi_policy as p on o.started_on between p.first_on and p.last_on
),

came_again as (
    select distinct m.call_id
    from measured as m
    inner join stg_ticket as t on m.party_id = t.party_id
    left join stg_ticket_call as own on t.ticket_id = own.ticket_id and m.call_id = own.call_id
    where
        m.judged = 1 and own.ticket_id is null and t.registered_at > m.started_at
        and date_diff('microsecond', m.started_at, t.registered_at) <= m.fcr_days * 86400000000
),

passed_on as (
    select call_id
    from stg_call_transfer
    where how = 'blind' or (how = 'attended' and answered)
    group by call_id
),

written_down as (
    select followed_call_id as call_id, sum(seconds) as seconds
    from fact_agent_stint
    where followed_call_id is not null
    group by followed_call_id
)

select
    c.call_id,
    c.switch,
    c.call_key,
    c.branch_id,
    c.direction,
    c.switch || '/' || c.queue as queue,
    coalesce(l.queue_label, c.queue) as queue_label,
    coalesce(c.caller_e164, c.caller_number) as caller,
    c.caller_name,
    c.party_id,
    p.party_name,
    p.branch_id as party_branch_id,
    c.staff_id,
    s.staff_name,
    c.extension,
    c.disposition,
    c.hangup_by,
    c.started_at,
    c.started_on,
    c.started_local,
    cast(extract(hour from c.started_local) as integer) as hour_of_day,
    cast(extract(hour from c.started_local) as integer) * 2 + cast(extract(minute from c.started_local) as integer) // 30 as half_hour,
    cast(date_diff('day', date '2024-01-01', c.started_on) % 7 as integer) as weekday,
    c.wait_seconds,
    c.talk_seconds,
    c.hold_seconds,
    cast(w.seconds as decimal(12, 3)) as acw_seconds,
    m.offered,
    m.answered,
    m.abandoned,
    m.short_abandoned,
    m.within_limit,
    m.within_limit + case when m.level_formula = 'servicelevel_perf2' then m.abandoned_within else 0 end as level_hit,
    m.answered + case m.level_formula
        when 'standard' then m.abandoned - m.short_abandoned
        when 'servicelevel_perf2' then m.abandoned
        when 'late_abandons' then m.abandoned_late
        else 0
    end as level_counted,
    case when m.answered = 1 and x.call_id is not null then 1 else 0 end as transferred,
    m.judged,
    case
        when
            m.judged = 1 and again.call_id is null
            and (m.next_call_at is null or date_diff('microsecond', m.started_at, m.next_call_at) > m.fcr_days * 86400000000)
            then 1
        else 0
    end as kept,
    c.end_certain,
    t.ticket_id,
    t.ticket_number,
    t.branch_id as ticket_branch_id,
    m.policy_version
from stg_call as c
inner join measured as m on c.call_id = m.call_id
left join stg_phone_line as l on c.switch = l.switch and c.queue = l.queue
left join stg_party as p on c.party_id = p.party_id
left join stg_staff as s on c.staff_id = s.staff_id
left join first_ticket as f on c.call_id = f.call_id
left join stg_ticket as t on f.ticket_id = t.ticket_id
left join passed_on as x on c.call_id = x.call_id
left join written_down as w on c.call_id = w.call_id
left join came_again as again on c.call_id = again.call_id
