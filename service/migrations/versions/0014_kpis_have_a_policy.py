"""Key figures have a policy with a version, and the night reads what they are made of."""

from service.migrations import rules

revision = "0014"
down_revision = "0013"

TABLES = """
create table kpi_policy (
    version integer not null,
    valid_from date not null,
    within_seconds integer not null,
    short_seconds integer not null,
    call_target integer not null,
    level_formula text not null,
    occupancy_warning integer not null,
    fcr_days integer not null,
    recovery_hours integer not null,
    note text default '' not null,
    set_by_id integer,
    set_at timestamptz not null,
    constraint pk_kpi_policy primary key (version),
    constraint fk_kpi_policy_set_by_id foreign key(set_by_id) references staff (id),
    constraint ck_kpi_policy_formula_is_known check (
        level_formula in ('standard', 'servicelevel_perf', 'servicelevel_perf2', 'late_abandons')),
    constraint ck_kpi_policy_limits_are_sound check (
        within_seconds between 1 and 3600 and short_seconds between 0 and 600 and call_target between 1 and 100
        and occupancy_warning between 1 and 100 and fcr_days between 1 and 90 and recovery_hours between 1 and 720)
);
insert into kpi_policy (version, valid_from, within_seconds, short_seconds, call_target, level_formula, occupancy_warning,
    fcr_days, recovery_hours, set_at)
values (1, '1970-01-01', 20, 5, 80, 'standard', 85, 7, 24, now());

-- An agent's history names the switch of the call that it tells of; so far there was one seat a person.
alter table agent_state_change add column switch text;
update agent_state_change set switch = seat.switch from agent_state seat where seat.staff_id = agent_state_change.staff_id;

update role set permissions = permissions || ',kpi.set' where name in ('manager', 'admin') and permissions <> '';
"""


def upgrade() -> None:
    """A policy can be added and never changed; it is of the firm, so it has no branch."""
    rules.run(TABLES)
    rules.granted("kpi_policy", append_only=True)
    rules.extracted("agent_state_change")
