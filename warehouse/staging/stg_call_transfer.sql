-- One row per time that a customer was passed on.
select id as transfer_id, call_id, how, extension, staff_id, target, answered, "at" as transferred_at
from raw.call_transfer
