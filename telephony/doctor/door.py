"""Can the switch be heard at all, by whom, and is its version known to misbehave?"""

import re
from collections.abc import Iterator

from telephony.doctor.facts import Facts
from telephony.doctor.finding import Finding, Fix, ok, unseen, warning, wrong

USER_FILE = "manager.d/ringdesk.conf"
RELOAD = 'asterisk -rx "manager reload"'
READ, WRITE = "system,call,agent,user,cdr", "reporting"
GRAVE_RIGHTS = ("system", "command", "config", "originate", "call", "agent")
ACTOR_WRITE = "call,agent,originate"
# What the desk asks of a switch, and the class of rights that allows it; pausing a recording needs `call` and nothing more.
ACTOR_NEEDS = {"Originate": "originate", "QueuePause": "agent", "BlindTransfer": "call", "Hangup": "call", "MixMonitorMute": "call"}
ACTOR_GRAVE = ("system", "command", "config")
CLOCK_WARNING, CLOCK_WRONG = 1.0, 60.0
_NUMBER = re.compile(r"(?:certified[/-])?(\d+)\.(\d+)(?:\.(\d+))?(?:-cert(\d+))?")
Version = tuple[int, int, int]

# MixMonitorMute on a channel that is not recorded never lets go of the channel: asterisk/asterisk#233, mended by #235.
MUTE_DEADLOCK = (((18, 18, 0), (18, 20, 0)), ((20, 3, 0), (20, 5, 0)))
# The container of all channels can lock up under load: asterisk/asterisk#1907, #1946, #1962.
LOCK_UP = (((20, 19, 0), (20, 20, 0)), ((22, 9, 0), (22, 10, 0)))
# Originate could write files and run commands: CVE-2024-42365.
ORIGINATE_MENDED = {18: (18, 24, 2), 20: (20, 9, 2), 21: (21, 4, 2)}
ORIGINATE_CERTIFIED = {(18, 9): 11, (20, 7): 2}
OLDEST_CARED_FOR = 20  # branches below this one, and 21, get no more corrections
NO_LONGER = (21,)


def user(facts: Facts, *lines: str) -> Fix:
    """Lines for the listener's own section."""
    return Fix(USER_FILE, (f"[{facts.switch.username}]", *lines), RELOAD)


def reach(facts: Facts) -> Iterator[Finding]:
    """Does an Asterisk answer at the address?"""
    visit, here = facts.visit, {"host": facts.switch.host, "port": facts.switch.port}
    if visit.outcome in ("away", "silent"):
        lines = ("[general]", "enabled = yes", f"port = {facts.switch.port}", "bindaddr = 0.0.0.0")
        yield wrong("reach", visit.outcome, Fix("manager.conf", lines, RELOAD), **here, why=visit.why)
    elif visit.outcome == "stranger":
        yield wrong("reach", "stranger", Fix("ringdesk.toml", ("[[switches]]", f'name = "{facts.switch.name}"', 'host = "…"', "port = 5038")),
                    **here, said=visit.why)
    elif visit.outcome == "cut":
        yield wrong("reach", "cut", user(facts, "writetimeout = 5000"), **here, why=visit.why)
    else:
        yield ok("reach", "ok", **here)


def login(facts: Facts) -> Iterator[Finding]:
    """Is the listener's user let in?"""
    visit, name = facts.visit, facts.switch.username
    if visit.inside:
        yield ok("login", "ok", user=name)
    elif visit.outcome == "refused":
        lines = ("secret = …", "deny = 0.0.0.0/0.0.0.0", "permit = …/255.255.255.255", f"read = {READ}", f"write = {WRITE}", "writetimeout = 5000")
        yield wrong("login", "refused", user(facts, *lines), user=name, why=visit.why)
    elif visit.outcome == "in-use":
        yield warning("login", "in-use", user(facts, "allowmultiplelogin = yes"), user=name)


def parsed(said: str) -> tuple[Version, int] | None:
    """Asterisk's version as numbers, and which certified build it is (0 for none)."""
    found = _NUMBER.match(said)
    return ((int(found[1]), int(found[2]), int(found[3] or 0)), int(found[4] or 0)) if found else None


def version(facts: Facts) -> Iterator[Finding]:
    """Is this version known for something that hurts?"""
    said, found = facts.visit.version, parsed(facts.visit.version)
    if not facts.visit.inside:
        return
    if found is None:
        yield unseen("version", banner=facts.visit.banner)
        return
    bad = list(_faults(facts, *found))
    yield from bad or [ok("version", "ok", version=said, ami=facts.visit.banner)]


def _faults(facts: Facts, number: Version, certified: int) -> Iterator[Finding]:
    said = facts.visit.version
    if _within(number, MUTE_DEADLOCK) and not certified:
        yield wrong("version", "mute-deadlock", version=said)
    if _within(number, LOCK_UP):
        yield warning("version", "lock-up", version=said)
    if not _originate_mended(number, certified):
        grave = facts.visit.has("originate")
        yield (wrong if grave else warning)("version", "originate", version=said)
    if not certified and (number[0] < OLDEST_CARED_FOR or number[0] in NO_LONGER):
        yield warning("version", "old", version=said)


def _within(number: Version, spans: tuple[tuple[Version, Version], ...]) -> bool:
    return any(begin <= number < end for begin, end in spans)


def _originate_mended(number: Version, certified: int) -> bool:
    if certified:
        return number[0] >= 22 or certified >= ORIGINATE_CERTIFIED.get(number[:2], 10**6)
    return number[0] >= 22 or number >= ORIGINATE_MENDED.get(number[0], (22, 0, 0))


def rights(facts: Facts) -> Iterator[Finding]:
    """May the listener ask what it must, and no more?"""
    visit = facts.visit
    if not visit.inside:
        return
    if visit.refused:
        yield wrong("rights", "refused", user(facts, f"write = {WRITE}"), actions=visit.refused)
    grave = [right for right in GRAVE_RIGHTS if visit.has(right)]
    if grave:
        yield warning("rights", "grave", user(facts, f"write = {WRITE}"), rights=grave)
    elif not visit.commands:
        yield unseen("rights", "unseen", user(facts, f"write = {WRITE}"))
    elif not visit.refused:
        yield ok("rights")


def actor(facts: Facts) -> Iterator[Finding]:
    """May the user that acts do what the desk asks for, and no more?"""
    visit, name = facts.visit, facts.switch.actor_username
    fix = Fix(USER_FILE, (f"[{name or 'actor'}]", "read = system", f"write = {ACTOR_WRITE}"), RELOAD)
    if not (visit.inside and facts.switch.acts):
        return
    if visit.actor == "refused":
        yield wrong("actor", "refused", fix, user=name)
    elif not visit.acts:
        yield unseen("actor", "unseen", fix)
    elif grave := [right for right in ACTOR_GRAVE if visit.actor_has(right)]:
        yield warning("actor", "grave", fix, rights=grave)
    elif missing := [action for action in ACTOR_NEEDS if action.lower() not in {name.lower() for name in visit.acts}]:
        yield wrong("actor", "missing", fix, actions=missing, rights=sorted({ACTOR_NEEDS[action] for action in missing}))
    else:
        yield ok("actor")


def twice(facts: Facts) -> Iterator[Finding]:
    """May the same user be in twice, so that a listener that stands by and this check can look in?"""
    if facts.visit.twice is False:
        yield warning("twice", "no", user(facts, "allowmultiplelogin = yes"))
    elif facts.visit.twice:
        yield ok("twice")


def clock(facts: Facts) -> Iterator[Finding]:
    """Do switch and Ringdesk agree on the time?"""
    offset = facts.visit.offset
    if not facts.visit.inside:
        return
    if offset is None:
        yield unseen("clock")
        return
    away = max(0.0, abs(offset) - facts.visit.doubt)
    values = {"offset": f"{offset:+.2f}", "doubt": f"{facts.visit.doubt:.2f}"}
    fix = Fix("/etc/chrony/chrony.conf", ("pool ntp.aliyun.com iburst",), "systemctl restart chrony")
    if away > CLOCK_WRONG:
        yield wrong("clock", "far", fix, **values)
    elif away > CLOCK_WARNING:
        yield warning("clock", "off", fix, **values)
    else:
        yield ok("clock", "ok", most=f"{max(abs(offset), facts.visit.doubt, 0.01):.2f}")


def system_name(facts: Facts) -> Iterator[Finding]:
    """Can ids of several switches not be mistaken for each other?"""
    name = facts.visit.settings.get("systemname", "")
    fix = Fix("asterisk.conf", ("[options]", f"systemname = {re.sub('[^A-Za-z0-9_-]', '', facts.switch.name)}"), "systemctl restart asterisk")
    if not facts.visit.inside or not facts.visit.settings:
        return
    if facts.twins:
        yield wrong("systemname", "twin", fix, name=name, others=facts.twins)
    elif name:
        yield ok("systemname", "ok", name=name)
    elif facts.switches > 1:
        yield wrong("systemname", "missing", fix, count=facts.switches)
    else:
        yield ok("systemname", "single")
