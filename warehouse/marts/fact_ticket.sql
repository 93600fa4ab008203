-- One row per ticket: an accumulating snapshot with three-valued promises.
-- Answers: was the customer answered in time, was the fault mended in time, or is the limit still ahead?
-- An open promise before its limit is neither met nor missed; it is pending.
-- Read by: dashboards/questions/sla.py, for the board and the workbook sheet "Tickets".
select
    t.ticket_id,
    t.ticket_number,
    t.branch_id,
    b.branch_name,
    b.branch_name_en,
    t.party_id,
    p.party_name,
    p.branch_id as party_branch_id,
    p.party_grade,
    t.ticket_type,
    t.channel,
    t.priority,
    t.state,
    t.subject,
    t.assignee_id,
    s.staff_name as assignee_name,
    t.registered_at,
    t.registered_on,
    cast(date_trunc('month', t.registered_on) as date) as registered_month,
    t.response_due_at,
    t.accepted_at,
    t.accepted_on,
    t.resolve_due_at,
    t.resolved_at,
    t.resolved_on,
    case
        when t.accepted_at <= t.response_due_at then 'met'
        when t.accepted_at is not null or run.as_of > t.response_due_at then 'missed'
        else 'pending'
    end as response_promise,
    case
        when t.resolved_at <= t.resolve_due_at then 'met'
        when t.resolved_at is not null or run.as_of > t.resolve_due_at then 'missed'
        else 'pending'
    end as resolve_promise,
    date_diff('microsecond', t.registered_at, t.accepted_at) // 1000000 as response_seconds,
    date_diff('microsecond', t.registered_at, t.response_due_at) // 1000000 as response_allowed,
    date_diff('microsecond', t.registered_at, t.resolved_at) // 1000000 as resolve_seconds,
    date_diff('microsecond', t.registered_at, t.resolve_due_at) // 1000000 as resolve_allowed,
    run.policy_version
from stg_ticket as t
cross join ops.run as run
inner join stg_branch as b on t.branch_id = b.branch_id
left join stg_party as p on t.party_id = p.party_id
left join stg_staff as s on t.assignee_id = s.staff_id
