"""What the doctor last found at each switch is on record."""

from service.migrations import rules

# goes after 0011
revision = "0013"
down_revision = "0012"

TABLES = """
create table doctor_report (
    switch text not null,
    at timestamptz not null,
    findings jsonb not null,
    constraint pk_doctor_report primary key (switch)
);
"""


def upgrade() -> None:
    """The table exists; it tells of the installation, so it has no branch."""
    rules.run(TABLES)
    rules.granted("doctor_report")
