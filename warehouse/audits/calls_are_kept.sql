-- Every ended call of the source is one row of fact_call.
select c.id as call_id
from raw.call as c
left join fact_call as f on c.id = f.call_id
where not c.live
group by c.id
having count(f.call_id) <> 1
