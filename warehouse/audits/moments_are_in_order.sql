-- No ticket is accepted or resolved before it was registered.
select ticket_id, ticket_number, registered_at, accepted_at, resolved_at
from fact_ticket
where accepted_at < registered_at or resolved_at < registered_at
