"""Do the events come that are needed, all of them, with their time, and not a flood of others?"""

from collections.abc import Iterator

from telephony.doctor.door import READ, RELOAD, user
from telephony.doctor.facts import ENOUGH_CALLS, Facts
from telephony.doctor.finding import Finding, Fix, ok, unseen, warning, wrong

NEEDED = READ.split(",")
UNASKED = ("dialplan", "dtmf", "reporting", "verbose", "log", "security", "command", "agi", "cc", "aoc", "test", "message", "config")
FLOOD = 0.05    # of all events; below it nobody feels them
FEW = 50        # events from which a share says something
TIMEOUT_MS, TIMEOUT_LEAST = 100, 1000
# Of calls, whatever the dialplan does with them: one without the others is filtered away.
PAIRS = (("Newchannel", "Newstate"), ("Newchannel", "Hangup"), ("Hangup", "Newchannel"), ("DialBegin", "DialEnd"),
         ("DialEnd", "DialBegin"), ("BridgeEnter", "BridgeLeave"), ("QueueCallerJoin", "QueueCallerLeave"))


def classes(facts: Facts) -> Iterator[Finding]:
    """Is the listener sent every class of events that it needs?"""
    heard, visit = facts.evidence, facts.visit
    fix = user(facts, f"read = {READ}")
    if visit.inside and not visit.booted:
        yield wrong("classes", "system", fix)
    missing = [name for name in NEEDED if not heard.classes[name] and name != "system"]
    ended = heard.events["Hangup"]
    if "call" in missing and heard.classes["cdr"] + heard.classes["agent"] >= ENOUGH_CALLS:
        yield wrong("classes", "call", fix)
        missing.remove("call")
    if "cdr" in missing and ended >= ENOUGH_CALLS:
        yield warning("classes", "cdr", fix, Fix("cdr_manager.conf", ("[general]", "enabled = yes"), 'asterisk -rx "module reload cdr_manager"'))
        missing.remove("cdr")
    if "agent" in missing and ended >= ENOUGH_CALLS and visit.runs("Queue") and heard.events["DialBegin"] >= ENOUGH_CALLS:
        yield warning("classes", "agent", fix)
        missing.remove("agent")
    if missing and (visit.inside or heard.total):
        yield unseen("classes", "unseen", fix, classes=missing)
    elif visit.booted and not {"call", "cdr", "agent"} - set(heard.classes):
        yield ok("classes", "ok", classes=NEEDED)


def hidden(facts: Facts) -> Iterator[Finding]:
    """Does no filter on the switch hide an event that tells how a call goes on?"""
    events = facts.evidence.events
    lost = {other for seen, other in PAIRS if events[seen] >= ENOUGH_CALLS and not events[other]}
    loose = _loose(facts)
    if lost:
        yield wrong("hidden", "lost", user(facts, "; no eventfilter for: " + ", ".join(sorted(lost))), events=lost)
    if loose:
        yield wrong("hidden", "loose", user(facts, *(f"eventfilter = !^Event: {name}" for name in loose)), filters=[f"!Event: {name}" for name in loose])
    if not lost and not loose and events["Newchannel"] >= ENOUGH_CALLS:
        yield ok("hidden")
    elif not lost and not loose and facts.visit.inside:
        yield unseen("hidden")


def _loose(facts: Facts) -> list[str]:
    """Filters that a caller can trip by writing an event's name into the own name: they match anywhere in an event."""
    if facts.conf is None:
        return []
    found = facts.conf.values("manager.conf", facts.switch.username, "eventfilter")
    return [rule.removeprefix("!Event: ").strip() for rule in found if rule.startswith("!Event: ")]


def flood(facts: Facts) -> Iterator[Finding]:
    """Is the listener spared what nobody reads?"""
    heard = facts.evidence
    known = heard.classes.total()
    if known < FEW:
        if facts.visit.inside:
            yield unseen("flood")
        return
    spare = [name for name in UNASKED if heard.classes[name] > FLOOD * known]
    share = round(100 * sum(heard.classes[name] for name in UNASKED) / known)
    if not spare:
        yield ok("flood", "ok", events=known)
        return
    names = sorted(name for name in ("VarSet", "Newexten", "RTCPSent", "RTCPReceived", "DTMFBegin", "DTMFEnd") if heard.events[name])
    filters = user(facts, *(f"eventfilter = !^Event: {name}" for name in names))
    yield warning("flood", "classes", user(facts, f"read = {READ}"), *([filters] if names else []), classes=spare, share=share)


def stamps(facts: Facts) -> Iterator[Finding]:
    """Do events carry the switch's own time?"""
    heard, fix = facts.evidence, Fix("manager.conf", ("[general]", "timestampevents = yes"), RELOAD)
    if facts.conf is not None and facts.conf.has("manager.conf"):
        said = facts.conf.yes("manager.conf", "general", "timestampevents")
        yield ok("stamps") if said else warning("stamps", "off", fix, events=heard.bare)
    elif heard.bare > heard.stamped:
        yield warning("stamps", "off", fix, events=heard.bare)
    elif heard.stamped:
        yield ok("stamps")
    elif facts.visit.inside:
        yield unseen("stamps", "unseen", fix)


def write_timeout(facts: Facts) -> Iterator[Finding]:
    """Does the switch wait for a listener that is busy for a moment?"""
    fix, name = user(facts, "writetimeout = 5000"), facts.switch.username
    if facts.conf is None or name not in facts.conf.sections("manager.conf"):
        yield unseen("writetimeout", "unseen", fix, user=name)
        return
    said = facts.conf.value("manager.conf", name, "writetimeout")
    span = int(said) if said and said.isascii() and said.isdigit() else TIMEOUT_MS
    if span < TIMEOUT_LEAST:
        yield wrong("writetimeout", "short", fix, ms=span)
    else:
        yield ok("writetimeout", "ok", ms=span)
