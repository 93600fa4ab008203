"""What every process registers at its start: a visible list instead of plugins."""

from functools import partial

from service.core.config import Settings


def wire(settings: Settings) -> None:
    """Identity is answered, and every kind of job has its handler."""
    from etl import nightly
    from recordings import purge, transcode
    from service import doctor
    from service.calls import actions as calls
    from service.core import clock, db, housekeeping, jobs, search, seen
    from service.devices import index as devices
    from service.parties import index as parties
    from service.staff import actions as staff
    from service.staff import people, signin
    from service.tickets import index as ticket_index
    from service.tickets import queries as tickets
    from telephony import backfill, mirror

    seen.check(db.Base.registry)
    clock.use(settings.timezone)
    signin.wire()
    know_lists()
    jobs.handler("night", lambda args: nightly.job(settings, args))
    jobs.handler("recordings.destroy", partial(purge.destroy_job, settings))
    jobs.handler("recordings.daily", partial(purge.daily_job, settings, tickets.complained_calls))
    jobs.handler(transcode.JOB, partial(transcode.job, settings))
    jobs.handler(backfill.JOB, lambda args: backfill.job(settings, args))
    jobs.handler(doctor.JOB, lambda args: doctor.job(settings, args))
    jobs.handler("search.rebuild", partial(search.rebuild, (parties.rebuild, devices.rebuild, ticket_index.rebuild)))
    jobs.handler("housekeeping", partial(housekeeping.job, (staff.sweep, people.expire, calls.sweep, partial(mirror.sweep, settings))))


def know_lists() -> None:
    """Every list is known by its name: for exports, settings and saved views."""
    from service.parties import lists as parties

    _every = (parties,)
