-- One row per part of a claim that a credit pays.
select id as allocation_id, claim_id, credit_id, dated, amount
from raw.ledger_allocation
