-- One row per priority; few rows without a change mark, so every night reads all of them.
select priority, response_minutes, resolve_minutes
from sla_policy
