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
    "imported": _l("Imported"),
    "import began": _l("Began an import"),
    "import undone": _l("Took an import back"),
    "shifts planned": _l("Planned shifts"),
    "leave entered": _l("Entered leave"),
    "leave withdrawn": _l("Withdrew leave"),
    "exported": _l("Took a list along"),
    "default columns": _l("Set the columns that all see"),
    "state changed": _l("Changed the state"),
    "moved": _l("Moved"),
    "visit done": _l("Noted a visit"),
    "visit skipped": _l("Skipped a visit"),
    "component fitted": _l("Fitted a component"),
    "component replaced": _l("Replaced a component"),
    "component taken out": _l("Took a component out"),
    "placed": _l("Moved to another place"),
    "retired": _l("Retired"),
    "brought back": _l("Brought back into service"),
    "swap": _l("Swapped a device"),
    "removal": _l("Removed a device"),
    "installation": _l("Installed a device"),
    "added picture": _l("Added a picture"),
    "removed picture": _l("Removed a picture"),
    "add version": _l("Added a version"),
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
    "device": _l("Device"),
    "import": _l("Import"),
    "firm": _l("Firm"),
    "page": _l("Page"),
    "job": _l("Job"),
    "hours": _l("Opening hours"),
    "kpi_policy": _l("How calls are measured"),
    "recording_pause": _l("Pause of a recording"),
    "device_swap": _l("Swap of devices"),
    "product": _l("Product"),
    "product_category": _l("Product category"),
    "site": _l("Site"),
    "project": _l("Project"),
    "region": _l("Region"),
    "maintenance_plan": _l("Maintenance plan"),
    "maintenance_reminder": _l("Maintenance visit"),
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
    "name_en": _l("name in English"),
    "state": _l("state"),
    "reason": _l("reason"),
    "active": _l("in use"),
    "kind": _l("kind"),
    "phone": _l("phone"),
    "email": _l("mail"),
    "address": _l("address"),
    "branch_id": _l("branch"),
    "department_id": _l("department"),
    "parent_id": _l("hangs below"),
    "party_id": _l("customer"),
    "contact_id": _l("contact"),
    "device_id": _l("device"),
    "product_id": _l("product"),
    "site_id": _l("site"),
    "ticket_id": _l("ticket"),
    "responsible_id": _l("responsible"),
    "responsible_branch_id": _l("responsible branch"),
    "roles": _l("roles"),
    "reach": _l("sees"),
    "permissions": _l("rights"),
    "number": _l("number"),
    "serial": _l("serial"),
    "model": _l("model"),
    "done_on": _l("done on"),
    "every": _l("every"),
    "timing": _l("rhythm"),
    "starts_on": _l("starts on"),
    "notice_days": _l("days of notice"),
    "content": _l("work"),
    "grade": _l("grade"),
    "list": _l("list"),
    "form": _l("format"),
    "file": _l("file"),
    "rows": _l("rows"),
    "switch": _l("switch"),
    "extension": _l("extension"),
    "week": _l("week"),
}
JOBS: Mapping[str, LazyString] = {
    "night": _l("The night run"),
    "recordings.daily": _l("Daily care of recordings"),
    "recordings.destroy": _l("Destruction of audio"),
    "maintenance.remind": _l("Maintenance reminders"),
    "doctor": _l("Examination of the switches"),
    "search.rebuild": _l("Rebuild of the search"),
    "imports.check": _l("Check of an import"),
    "imports.load": _l("Load of an import"),
    "imports.undo": _l("Undoing of an import"),
}
TIMING: Mapping[str, LazyString] = {"monthly": _l("On a day of each month"), "interval": _l("Every so many days")}
PAGES: Mapping[str, str] = {
    "party": "/customers/{}", "ticket": "/tickets/{}", "call": "/calls/{}", "device": "/devices/{}", "site": "/sites/{}",
    "project": "/sites/projects/{}", "staff": "/settings/people/{}", "product": "/settings/products/{}",
    "maintenance_plan": "/maintenance/plans/{}", "import": "/settings/imports/{}",
}  # fmt: skip


def told(entry: AuditEntry) -> Iterator[tuple[str, Any, Any]]:
    """Each field that the line tells of, by the name it is kept under, with what was before and what is after."""
    old, new = entry.old or {}, entry.new or {}
    for name in [*old, *(name for name in new if name not in old)]:
        yield name, _said(entry, name, old.get(name)), _said(entry, name, new.get(name))


def _said(entry: AuditEntry, name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    codes = JOBS if (entry.entity, name) == ("job", "name") else {"why": WHY, "timing": TIMING}.get(name, {})
    return codes.get(value, value)


def field(name: str) -> str:
    """The field's name in the reader's language; one that nobody has translated reads as it is kept, without underscores."""
    return str(FIELDS[name]) if name in FIELDS else name.replace("_", " ")


def opens(entry: AuditEntry) -> str:
    """The page of the thing; nothing when it has none."""
    return PAGES[entry.entity].format(entry.entity_id) if entry.entity in PAGES and entry.entity_id else ""
