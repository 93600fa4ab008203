-- One row per queue; numbers that are dialled are no queues.
select switch, name as queue, label as queue_label, branch_id
from raw.phone_line
where kind = 'queue'
