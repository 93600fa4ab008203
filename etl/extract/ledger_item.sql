-- One row per claim or credit of a party; amounts are in the firm's currency, exact to the cent.
select
    id, number, party_id, kind, dated, due_on, amount, posted_at, branch_id,
    posted_at::date as posted_on,
    row_xid
from ledger_item
