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
    "disabled": _l("Taken out of use"),
    "active": _l("Put back into use"),
    "merged": _l("Another one was merged into it"),
    "merged into": _l("Merged into another one"),
    "took over": _l("Took over rows"),
    "saved despite look-alikes": _l("Saved despite look-alikes"),
    "revealed phone": _l("Looked at a covered number"),
    "signed in": _l("Signed in"),
    "refused": _l("Was refused"),
    "password given": _l("Gave a password"),
    "code asked": _l("Right password, asked for more"),
    "second factor set up": _l("Set up a second factor"),
    "second factor removed": _l("Removed the second factor"),
    "second factor reset": _l("Reset a second factor"),
    "recovery codes made": _l("Made recovery codes"),
    "recovery code used": _l("Used a recovery code"),
    "passkey added": _l("Added a passkey"),
    "passkey removed": _l("Removed a passkey"),
    "sign-ins ended": _l("Signed out elsewhere"),
    "unlocked": _l("Unlocked a name"),
    "set up": _l("Set the firm up"),
    "forbidden": _l("Was not let do it"),
    "not theirs": _l("Asked for what is not there or not theirs"),
    "job done": _l("Job done"),
    "job failed": _l("Job failed"),
    "job given up": _l("Job given up"),
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
    "party_category": _l("Category"),
    "ticket": _l("Ticket"),
    "call": _l("Call"),
    "missed_caller": _l("Missed caller"),
    "pop": _l("Call at a phone"),
    "recording": _l("Recording"),
    "retention_class": _l("Class of recordings"),
    "list": _l("List"),
    "firm": _l("Firm"),
    "page": _l("Page"),
    "job": _l("Job"),
    "hours": _l("Opening hours"),
    "kpi_policy": _l("How calls are measured"),
}
KINDS: Mapping[str, LazyString] = {
    "signin": _l("Sign-ins"),
    "refused": _l("Refused sign-ins"),
    "forbidden": _l("Refused requests"),
    "settings": _l("Settings"),
    "security": _l("People and security"),
    "job": _l("Jobs"),
}
WHY: Mapping[str, LazyString] = {
    "password": _l("wrong password"),
    "unknown": _l("nobody has this name"),
    "off": _l("switched off"),
    "locked": _l("too many attempts"),
    "code": _l("no code, or a wrong one"),
    "passkey": _l("passkey does not fit"),
    "address": _l("outside the role's addresses"),
    "token": _l("wrong set-up address"),
}
FIELDS: Mapping[str, LazyString] = {
    "name": _l("name"),
    "why": _l("why"),
    "from": _l("from"),
    "path": _l("page"),
    "permission": _l("permission"),
    "count": _l("count"),
    "left": _l("left over"),
    "role": _l("role"),
    "second_factor": _l("second factor"),
    "addresses": _l("addresses"),
    "passkey": _l("passkey"),
    "attempt": _l("attempt"),
    "error": _l("error"),
    "password_days": _l("password age in days"),
    "lock_after": _l("locked after attempts"),
    "lock_minutes": _l("locked for minutes"),
}
PAGES: Mapping[str, str] = {"party": "/customers/{}", "ticket": "/tickets/{}", "call": "/calls/{}"}


def told(entry: AuditEntry) -> Iterator[tuple[str, Any, Any]]:
    """Each field that the line tells of, with what was before and what is after."""
    old, new = entry.old or {}, entry.new or {}
    for name in [*old, *(name for name in new if name not in old)]:
        yield FIELDS.get(name, name), _said(name, old.get(name)), _said(name, new.get(name))


def _said(name: str, value: Any) -> Any:
    return WHY.get(value, value) if name == "why" and isinstance(value, str) else value


def opens(entry: AuditEntry) -> str:
    """The page of the thing; nothing when it has none."""
    return PAGES[entry.entity].format(entry.entity_id) if entry.entity in PAGES and entry.entity_id else ""
