"""What every process registers at its start: a visible list instead of plugins."""

from service.core.config import Settings


def wire(settings: Settings) -> None:
    """Identity is answered, and every kind of job has its handler."""
    from etl import nightly
    from service.core import housekeeping, jobs
    from service.staff import signin

    signin.wire()
    jobs.handler("night", lambda args: nightly.job(settings, args))
    jobs.handler("housekeeping", housekeeping.job)
