-- One row per version of the policy for key figures; few rows without a change mark, so every night reads all of them.
select
    version, valid_from, within_seconds, short_seconds, call_target, level_formula, occupancy_warning, fcr_days,
    recovery_hours, note, set_by_id, set_at
from kpi_policy
