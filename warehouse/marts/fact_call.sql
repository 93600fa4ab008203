-- One row per call that has ended.
-- Answers: who waited how long, who was answered in time, who gave up, and which ticket came of it?
-- Offered means: inbound, entered a queue. Short means: gave up before the short-abandon limit.
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
        case when direction = 'inbound' and queue is not null then 1 else 0 end as offered,
        case when disposition in ('answered', 'transferred') then 1 else 0 end as answered,
        case when disposition = 'abandoned' then 1 else 0 end as abandoned
    from stg_call
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
    o.offered,
    o.offered * o.answered as answered,
    o.offered * o.abandoned as abandoned,
    case when o.offered * o.abandoned = 1 and c.wait_seconds < run.short_seconds then 1 else 0 end as short_abandoned,
    case when o.offered * o.answered = 1 and c.wait_seconds <= run.within_seconds then 1 else 0 end as within_limit,
    c.end_certain,
    t.ticket_id,
    t.ticket_number,
    t.branch_id as ticket_branch_id,
    run.policy_version
from stg_call as c
inner join outcome as o on c.call_id = o.call_id
cross join ops.run as run
left join stg_phone_line as l on c.switch = l.switch and c.queue = l.queue
left join stg_party as p on c.party_id = p.party_id
left join stg_staff as s on c.staff_id = s.staff_id
left join first_ticket as f on c.call_id = f.call_id
left join stg_ticket as t on f.ticket_id = t.ticket_id
