-- One row per call that a ticket remembers, with the call as it is known now: names move when two calls turn out to be
-- one, so this is read whole each night.
select t.id, t.ticket_id, t.switch, t.call_key, coalesce(c.joined_to_id, a.call_id) as call_id, t.linked_at, t.branch_id
from ticket_call as t
left join call_alias as a on a.switch = t.switch and a.uniqueid = t.call_key
left join call as c on c.id = a.call_id
