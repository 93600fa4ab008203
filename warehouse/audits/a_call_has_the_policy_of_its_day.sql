-- Each call that began on a known day is measured by exactly one policy, the one in force on that day.
select f.call_id, f.started_on, f.policy_version, count(p.policy_version) as in_force
from fact_call as f
left join dim_kpi_policy as p on f.started_on between p.first_on and p.last_on
where f.started_on is not null
group by f.call_id, f.started_on, f.policy_version
having count(p.policy_version) <> 1 or max(p.policy_version) is distinct from f.policy_version
