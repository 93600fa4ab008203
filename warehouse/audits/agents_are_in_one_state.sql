-- No agent is in two states at once, and what they spent in all states fits between the first and the last moment of their day.
select staff_id, spent_on, sum(seconds) as spent
from fact_agent_stint
group by staff_id, spent_on
having sum(seconds) > cast(date_diff('microsecond', min(began_at), max(ended_at)) as decimal(18, 0)) * cast(0.000001 as decimal(7, 6))
