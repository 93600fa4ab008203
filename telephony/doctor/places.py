"""Folders: are they there, may we use them, and is there room?"""

from collections.abc import Iterator

from telephony.doctor.facts import Facts, Place
from telephony.doctor.finding import Finding, Fix, ok, unseen, warning, wrong

GIB = 2**30
LOW, NONE_LEFT = 5 * GIB, GIB // 4


def gib(size: int) -> str:
    """Bytes as gibibytes."""
    return f"{size / GIB:.1f}"


def recordings(facts: Facts) -> Iterator[Finding]:
    """Can finished recordings be collected?"""
    place, name = facts.recordings, facts.switch.name
    if place is None and facts.switch.recordings_url:
        yield unseen("recordings", "link", url=facts.switch.recordings_url)
    elif place is None:
        fix = Fix("ringdesk.toml", ("[[switches]]", f'name = "{name}"', 'recordings = "/mnt/…/monitor"'))
        yield unseen("recordings", "unset", fix)
    elif not place.there:
        yield wrong("recordings", "missing", path=place.path)
    elif not place.readable:
        yield wrong("recordings", "unreadable", Fix("/etc/fstab", (f"… {place.path} … ro,nofail 0 0",), f"mount {place.path}"), path=place.path)
    elif place.strange and not place.ours:
        yield warning("recordings", "strange", Fix("extensions.conf", ("[globals]", f"RINGDESK_PBX = {name}"), 'asterisk -rx "dialplan reload"'),
                      path=place.path, count=place.strange)
    elif place.free < LOW:
        yield _full("recordings", place)
    elif place.ours:
        yield ok("recordings", "ok", path=place.path, count=place.ours, free=gib(place.free))
    else:
        yield ok("recordings", "empty", path=place.path, free=gib(place.free))


def vault(facts: Facts) -> Iterator[Finding]:
    """Can recordings be kept?"""
    yield from _own("vault", facts.vault)


def journal(facts: Facts) -> Iterator[Finding]:
    """Can what is heard be written down before anything is made of it?"""
    yield from _own("journal", facts.journal)


def _own(check: str, place: Place | None) -> Iterator[Finding]:
    if place is None:
        return
    if not place.writable:
        yield wrong(check, "unwritable", path=place.path)
    elif place.free < LOW:
        yield _full(check, place)
    else:
        yield ok(check, "ok", path=place.path, free=gib(place.free))


def _full(check: str, place: Place) -> Finding:
    return (wrong if place.free < NONE_LEFT else warning)(check, "low", path=place.path, free=gib(place.free))
