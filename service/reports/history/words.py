"""What a line of the audit says, in the reader's language."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from service.core.model import AuditEntry

VERBS: Mapping[str, LazyString] = {
    "created": _l("Created"),
    "changed": _l("Changed"),
    "deleted": _l("Deleted"),
    "registered": _l("Registered"),
    "attached phone": _l("Attached a phone"),
    "signed in": _l("Signed in"),
    "refused": _l("Was refused"),
    "password given": _l("Gave a password"),
    "took seat": _l("Took a seat"),
    "left seat": _l("Left the seat"),
    "set agent": _l("Set an agent's state"),
    "set queues": _l("Set an agent's queues"),
    "listen": _l("Listened in"),
    "whisper": _l("Whispered"),
    "barge": _l("Barged in"),
    "consent": _l("Noted consent"),
    "reason": _l("Said what a call was about"),
    "take": _l("Took a caller to call back"),
    "close": _l("Took a caller off the list"),
    "reopen": _l("Put a caller back on the list"),
    "hold": _l("Held a recording"),
    "lift": _l("Lifted a hold"),
    "destroy": _l("Had audio destroyed"),
    "retention": _l("Set how long audio is kept"),
    "shifts planned": _l("Planned shifts"),
    "leave entered": _l("Entered leave"),
    "leave withdrawn": _l("Withdrew leave"),
    "exported": _l("Took a list along"),
}
ENTITIES: Mapping[str, LazyString] = {
    "staff": _l("Person"),
    "branch": _l("Branch"),
    "department": _l("Department"),
    "team": _l("Team"),
    "role": _l("Role"),
    "shift_kind": _l("Shift"),
    "party": _l("Customer"),
    "ticket": _l("Ticket"),
    "call": _l("Call"),
    "missed_caller": _l("Missed caller"),
    "recording": _l("Recording"),
    "retention_class": _l("Class of recordings"),
    "list": _l("List"),
}
PAGES: Mapping[str, str] = {"party": "/customers/{}", "ticket": "/tickets/{}", "call": "/calls/{}"}


def told(entry: AuditEntry) -> Iterator[tuple[str, Any, Any]]:
    """Each field that the line tells of, with what was before and what is after."""
    old, new = entry.old or {}, entry.new or {}
    for name in [*old, *(name for name in new if name not in old)]:
        yield name, old.get(name), new.get(name)


def opens(entry: AuditEntry) -> str:
    """The page of the thing; nothing when it has none."""
    return PAGES[entry.entity].format(entry.entity_id) if entry.entity in PAGES and entry.entity_id else ""
