-- The months add up to the tickets, and each promise is met, missed or pending.
select branch_id, sum(tickets) as in_months, sum(resolve_met + resolve_missed + resolve_pending) as promises
from sla_month
group by branch_id
having
    sum(tickets) <> sum(resolve_met + resolve_missed + resolve_pending)
    or sum(tickets) <> sum(response_met + response_missed + response_pending)
    or sum(tickets) <> (select count(*) from fact_ticket as t where t.branch_id = sla_month.branch_id)
