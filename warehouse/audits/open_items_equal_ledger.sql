-- What is open equals claims less credits, party by party, to the cent; allocations move nothing.
with open_side as (
    select party_id, sum(open_amount) as amount from open_item group by party_id
),

ledger_side as (
    select party_id, sum(case when kind in ('invoice', 'refund_paid') then amount else -amount end) as amount
    from raw.ledger_item
    group by party_id
)

select l.party_id, l.amount as in_ledger, o.amount as in_open_items
from ledger_side as l
full join open_side as o on l.party_id = o.party_id
where l.amount is distinct from o.amount
