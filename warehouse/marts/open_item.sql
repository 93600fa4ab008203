-- One row per claim or credit of a party, with what is still open of it.
-- Answers: what is owed, by whom, and since when? Claims are positive, credits negative.
-- Read by: etl/control.py, for what is receivable; every board and the cover of every workbook show it beside the books.
with paid as (
    select claim_id as item_id, sum(amount) as amount from stg_ledger_allocation group by claim_id
    union all
    select credit_id as item_id, sum(amount) as amount from stg_ledger_allocation group by credit_id
),

allocated as (
    select item_id, sum(amount) as amount from paid group by item_id
)

select
    i.item_id,
    i.item_number,
    i.branch_id,
    i.party_id,
    p.party_name,
    p.branch_id as party_branch_id,
    i.kind,
    i.dated,
    i.due_on,
    cast(i.direction * i.amount as decimal(18, 2)) as amount,
    cast(i.direction * (i.amount - coalesce(a.amount, 0)) as decimal(18, 2)) as open_amount
from stg_ledger_item as i
left join allocated as a on i.item_id = a.item_id
left join stg_party as p on i.party_id = p.party_id
