-- One row per part of a claim that a credit pays.
select id, claim_id, credit_id, dated, amount, branch_id, row_xid
from ledger_allocation
