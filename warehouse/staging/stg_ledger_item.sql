-- One row per posting of a party: a claim asks for money, a credit gives it.
select
    id as item_id, number as item_number, branch_id, party_id, kind, dated, due_on, amount,
    case when kind in ('invoice', 'refund_paid') then 1 else -1 end as direction
from raw.ledger_item
