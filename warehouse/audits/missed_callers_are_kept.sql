-- Every missed caller of the source is one row, and who was recovered was judged.
select m.id as caller_id
from raw.missed_caller as m
left join fact_missed_caller as f on m.id = f.caller_id
group by m.id
having count(f.caller_id) <> 1 or sum(case when f.recovered > f.judged then 1 else 0 end) > 0
