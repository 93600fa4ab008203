-- One row per version of the policy for key figures of calls, as it was written down.
select
    version as policy_version, valid_from, within_seconds, short_seconds, call_target, level_formula, occupancy_warning,
    fcr_days, recovery_hours, note, set_at
from raw.kpi_policy
