"""What every process registers at its start: a visible list instead of plugins."""

from functools import partial

from service.core.config import Settings


def wire(settings: Settings) -> None:
    """Identity is answered, every list is known, and whoever waits for another context's news hears it."""
    from service.core import clock, db, seen
    from service.devices import effects as devices
    from service.maintenance import actions as maintenance
    from service.staff import signin
    from service.staff.security import sealing
    from service.tickets import actions as ticket_actions

    seen.check(db.Base.registry)
    clock.use(settings.timezone)
    sealing.use(settings.secret_key)
    signin.wire()
    know_lists()
    know_tables()
    follow_merges()
    know_places()
    ticket_actions.on_finish(maintenance.ticket_finished)
    devices.on_leaving(maintenance.device_left)
    handle_jobs(settings)


def handle_jobs(settings: Settings) -> None:
    """Every kind of job has its handler."""
    from etl import nightly
    from recordings import purge, transcode
    from service import doctor
    from service.calls import actions as calls
    from service.core import attachments, housekeeping, jobs, search
    from service.devices import index as devices
    from service.imports import queries as imports
    from service.imports import work
    from service.maintenance import actions as maintenance
    from service.parties import index as parties
    from service.parties import merging
    from service.sites import index as sites
    from service.staff import actions as staff
    from service.staff import people
    from service.tickets import index as ticket_index
    from service.tickets import queries as tickets
    from telephony import backfill, mirror

    jobs.handler("night", lambda args: nightly.job(settings, args))
    jobs.handler("recordings.destroy", partial(purge.destroy_job, settings))
    jobs.handler("recordings.daily", partial(purge.daily_job, settings, tickets.complained_calls))
    jobs.handler(transcode.JOB, partial(transcode.job, settings), quiet=True)
    jobs.handler(backfill.JOB, lambda args: backfill.job(settings, args))
    jobs.handler(doctor.JOB, lambda args: doctor.job(settings, args))
    jobs.handler(maintenance.JOB, maintenance.job)
    indexes = (parties.rebuild, devices.rebuild, sites.rebuild_projects, sites.rebuild_sites, ticket_index.rebuild)
    jobs.handler("search.rebuild", partial(search.rebuild, indexes))
    jobs.handler("imports.check", work.guarded(partial(work.check_job, settings.imports_dir), "checking", "uploaded"))
    jobs.handler("imports.load", work.guarded(work.load_job, "loading", "checked"))
    jobs.handler("imports.undo", work.guarded(work.undo_job, "undoing", "loaded"))
    sweeps = (
        partial(imports.sweep, settings.imports_dir), staff.sweep, people.expire, calls.sweep, merging.sweep,
        partial(mirror.sweep, settings), attachments.sweeper(settings.attachments_dir),
    )  # fmt: skip
    jobs.handler("housekeeping", partial(housekeeping.job, sweeps), quiet=True)


def know_tables() -> None:
    """What can be imported from a spreadsheet."""
    from service.devices import importing as devices
    from service.imports import targets
    from service.parties import importing as parties
    from service.sites import numbered
    from service.staff import importing as people

    targets.use((*parties.TARGETS, devices.Devices(numbered), *people.TARGETS))


def follow_merges() -> None:
    """Whoever keeps rows about parties hands them on when two parties become one."""
    from service.calls import merged as calls
    from service.devices import merged as devices
    from service.ledger import merged as ledger
    from service.parties import merging
    from service.sites import merged as sites
    from service.tickets import merged as tickets

    merging.followed_by([one.party_merged for one in (devices, sites, calls, ledger, tickets)])


def know_places() -> None:
    """Sites hear of faults and patrols from above, tickets where they came from, and a scanned label offers a patrol."""
    from service.core import attachments
    from service.devices import occasion
    from service.maintenance.patrols import queries as patrols
    from service.maintenance.patrols.words import PATROL
    from service.sites import condition, labels_web
    from service.tickets import origins
    from service.tickets import queries as tickets

    condition.facts("tickets", tickets.device_facts)
    condition.patrols("patrols", patrols.latest)
    occasion.known_by(tickets.occasion)
    origins.of_channel("patrol", patrols.origin)
    attachments.kind("site", "site.read")
    attachments.kind(patrols.ENTITY, "maintenance.read")
    labels_web.act(PATROL, "route", "/maintenance/patrols/new?device={device}", "patrol.write")


def know_lists() -> None:
    """Every list is known by its name: for exports, settings and saved views."""
    from service.calls import lists as calls
    from service.catalogue import lists as products
    from service.core.lists import kept
    from service.devices import lists as devices
    from service.maintenance import lists as maintenance
    from service.maintenance.patrols import lists as patrols
    from service.parties import lists as parties
    from service.reports.history import lists as history
    from service.staff import lists as people
    from service.staff import queries as staff
    from service.tickets import lists as tickets

    _every = (products, parties, devices, people, tickets, calls, history, maintenance, patrols)
    kept.roles_from(staff.role_names)
