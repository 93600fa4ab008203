-- One row per policy that is ever in force, with its first and last local day; of two that begin on one day only the later.
-- Answers: by which rules are the calls of a day measured?
-- Read by: warehouse/read.py, for the formulas beside the figures.
with latest as (
    select valid_from, max(policy_version) as policy_version
    from stg_kpi_policy
    group by valid_from
)

select
    p.policy_version,
    p.valid_from as first_on,
    coalesce(cast(lead(p.valid_from) over (order by p.valid_from) - interval '1' day as date), date '9999-12-31') as last_on,
    p.within_seconds,
    p.short_seconds,
    p.call_target,
    p.level_formula,
    p.occupancy_warning,
    p.fcr_days,
    p.recovery_hours,
    p.note
from stg_kpi_policy as p
inner join latest as l on p.policy_version = l.policy_version
