"""What every process registers at its start: a visible list instead of plugins."""

from functools import partial

from service.core.config import Settings


def wire(settings: Settings) -> None:
    """Identity is answered, and every kind of job has its handler."""
    from etl import nightly
    from service.calls import actions as calls
    from service.core import clock, housekeeping, jobs
    from service.staff import actions as staff
    from service.staff import signin
    from telephony import backfill

    clock.use(settings.timezone)
    signin.wire()
    jobs.handler("night", lambda args: nightly.job(settings, args))
    jobs.handler(backfill.JOB, lambda args: backfill.job(settings, args))
    jobs.handler("housekeeping", partial(housekeeping.job, (staff.sweep, calls.sweep)))
