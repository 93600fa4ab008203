-- Every ticket of the source is one row of fact_ticket.
select t.id as ticket_id
from raw.ticket as t
left join fact_ticket as f on t.id = f.ticket_id
group by t.id
having count(f.ticket_id) <> 1
