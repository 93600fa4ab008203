"""What the switch writes down besides speaking: CEL, CDR and queue_log, without which no gap can be closed."""

from collections.abc import Iterator
from datetime import timedelta

from telephony.doctor.facts import ENOUGH_CALLS, Facts
from telephony.doctor.finding import Finding, Fix, ok, unseen, warning, wrong

STALE = timedelta(days=7)
CEL = Fix("cel.conf", ("[general]", "enable = yes", "apps = all", "events = ALL", "[manager]", "enabled = yes"),
          'asterisk -rx "module reload cel cel_manager"')
CDR = Fix("cdr.conf", ("[general]", "enable = yes", "unanswered = yes", "[csv]", "loguniqueid = yes", "newcdrcolumns = yes"), 'asterisk -rx "cdr reload"')
QUEUE_LOG = Fix("logger.conf", ("[general]", "queue_log = yes", "queue_log_to_file = yes"), 'asterisk -rx "logger reload"')
MAILBOX_APPS = frozenset({"all", "voicemail"})


def cel(facts: Facts) -> Iterator[Finding]:
    """Is it told when a caller speaks to a mailbox?"""
    conf, heard = facts.conf, facts.evidence
    if conf is not None and conf.has("cel.conf"):
        apps = {app.strip().lower() for app in (conf.value("cel.conf", "general", "apps") or "").split(",")}
        on = conf.yes("cel.conf", "general", "enable") and conf.yes("cel.conf", "manager", "enabled")
        told = on and bool(apps & MAILBOX_APPS)
        yield ok("cel") if told else warning("cel", "apps" if on else "off", CEL)
    elif heard.voicemail:
        yield ok("cel")
    elif facts.voicemail is False:
        yield ok("cel", "no-mailbox")
    elif heard.events["Hangup"] >= ENOUGH_CALLS and not heard.events["CEL"]:
        yield warning("cel", "off", CEL)
    elif facts.visit.inside:
        yield unseen("cel", "unseen", CEL)


def cdr(facts: Facts) -> Iterator[Finding]:
    """Are calls that nobody answered written down?"""
    conf = facts.conf
    if conf is not None and conf.has("cdr.conf"):
        on = conf.yes("cdr.conf", "general", "enable", default=True)
        named = conf.yes("cdr.conf", "csv", "loguniqueid") and conf.yes("cdr.conf", "csv", "newcdrcolumns")
        if on and conf.yes("cdr.conf", "general", "unanswered"):
            yield ok("cdr") if named else warning("cdr", "nameless", CDR)
        else:
            yield warning("cdr", "off" if not on else "unanswered", CDR)
    elif facts.visit.settings.get("corecdrenabled") == "No":
        yield warning("cdr", "off", CDR)
    elif facts.evidence.unanswered:
        yield ok("cdr")
    elif facts.visit.inside:
        yield unseen("cdr", "unseen", CDR)


def queue_log(facts: Facts) -> Iterator[Finding]:
    """Can the queues' own log fill a gap?"""
    place, conf = facts.queue_log, facts.conf
    if conf is not None and conf.has("logger.conf") and not conf.yes("logger.conf", "general", "queue_log", default=True):
        yield warning("queuelog", "off", QUEUE_LOG)
    elif place is None:
        yield unseen("queuelog", "unset", Fix("ringdesk.toml", ("[[switches]]", f'name = "{facts.switch.name}"', 'queue_log = "/mnt/…/queue_log"')))
    elif place.why:
        yield wrong("queuelog", "away", why=place.why)
    elif not place.there or not place.readable:
        yield wrong("queuelog", "unreadable", QUEUE_LOG, path=place.path)
    elif place.age is not None and place.age > STALE:
        yield warning("queuelog", "stale", QUEUE_LOG, path=place.path, days=place.age.days)
    else:
        yield ok("queuelog", "ok", path=place.path)
    yield from _fetched(facts)
    yield from _agents(facts)


def _fetched(facts: Facts) -> Iterator[Finding]:
    """A link that is away is told once, with the queue log where that is named."""
    told = {facts.queue_log.why} if facts.queue_log is not None else set()
    for place in facts.fetched.values():
        if place.why and place.why not in told:
            told.add(place.why)
            yield wrong("files", "away", why=place.why)
    if facts.fetched and not any(place.why for place in facts.fetched.values()):
        yield ok("files", "ok", paths=[place.path for place in facts.fetched.values()])


def _agents(facts: Facts) -> Iterator[Finding]:
    """Names in place of devices cannot be tied to a phone when two people share a name."""
    conf = facts.conf
    if conf is not None and conf.has("queues.conf") and conf.yes("queues.conf", "general", "log_membername_as_agent"):
        fix = Fix("queues.conf", ("[general]", "log_membername_as_agent = no"), 'asterisk -rx "queue reload parameters"')
        yield warning("queuelog", "names", fix)
