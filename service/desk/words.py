"""Codes as people read them. Each table is the whole list of codes that a page may meet."""

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from service.tickets.queries import STATE

PRIORITY: Mapping[str, LazyString] = {"urgent": _l("Urgent"), "normal": _l("Normal"), "low": _l("Low")}
TYPE: Mapping[str, LazyString] = {
    "repair": _l("Repair"),
    "consultation": _l("Consultation"),
    "complaint": _l("Complaint"),
    "installation": _l("Installation"),
    "upkeep": _l("Upkeep"),
}
CHANNEL: Mapping[str, LazyString] = {
    "hotline": _l("Hotline"),
    "counter": _l("Counter"),
    "email": _l("E-mail"),
    "portal": _l("Portal"),
}
GRADE: Mapping[str, LazyString] = {
    "vip": _l("VIP"),
    "gold": _l("Gold"),
    "silver": _l("Silver"),
    "contract": _l("Contract"),
}
DIRECTION: Mapping[str, LazyString] = {
    "inbound": _l("Inbound"),
    "outbound": _l("Outbound"),
    "internal": _l("Internal"),
}
DISPOSITION: Mapping[str, LazyString] = {
    "answered": _l("Answered"),
    "transferred": _l("Transferred"),
    "conference": _l("Conference"),
    "abandoned": _l("Abandoned"),
    "no-answer": _l("No answer"),
    "agent-no-answer": _l("Agent did not answer"),
    "voicemail": _l("Voicemail"),
    "agent-busy": _l("Agent was busy"),
    "agent-rejected": _l("Agent rejected it"),
    "busy": _l("Busy"),
    "rejected": _l("Rejected"),
    "failed": _l("Failed"),
    "lost": _l("End not heard"),
}
LEG: Mapping[str, LazyString] = {
    "answered": _l("Answered"),
    "no-answer": _l("No answer"),
    "elsewhere": _l("Answered elsewhere"),
    "busy": _l("Busy"),
    "rejected": _l("Rejected"),
    "cancelled": _l("Cancelled"),
}
HANGUP: Mapping[str, LazyString] = {
    "caller": _l("the caller"),
    "agent": _l("the agent"),
    "customer": _l("the customer"),
    "pbx": _l("the switch"),
}
REASON: Mapping[str, LazyString] = {
    "exact": _l("The whole number is on file"),
    "digits": _l("Same digits, but not a full number"),
}
DEVICE: Mapping[str, LazyString] = {
    "normal": _l("In order"),
    "abnormal": _l("Out of order"),
    "repair": _l("In repair"),
    "retired": _l("Retired"),
}
ROLE: Mapping[str, LazyString] = {
    "agent": _l("Agent"),
    "supervisor": _l("Supervisor"),
    "technician": _l("Technician"),
    "finance": _l("Finance"),
    "manager": _l("Manager"),
    "admin": _l("Administrator"),
}
NIGHT: Mapping[str, LazyString] = {
    "running": _l("Running"),
    "published": _l("Published"),
    "done": _l("Published"),
    "failed": _l("Failed"),
    "refused": _l("Refused"),
    "killed": _l("Cut off"),
}
LEDGER: Mapping[str, LazyString] = {
    "invoice": _l("Invoice"),
    "receipt": _l("Receipt"),
    "credit_note": _l("Credit note"),
    "prepayment": _l("Prepayment"),
    "refund_paid": _l("Refund"),
}
GAP: Mapping[str, LazyString] = {
    "connection lost": _l("The connection was lost"),
    "the listener was stopped": _l("The listener was stopped"),
    "the listener is silent": _l("The listener died without a word"),
    "found in the journal": _l("Found in the journal"),
}
SEGMENT: Mapping[str, LazyString] = {
    "caller": _l("On the line"),
    "wait": _l("Waiting"),
    "ring": _l("Ringing"),
    "ivr": _l("Voice menu"),
    "queue_wait": _l("Waiting"),
    "ringing": _l("Ringing"),
    "talk": _l("Talking"),
    "hold": _l("On hold"),
    "consult": _l("Asking a colleague"),
    "park": _l("Parked"),
    "voicemail": _l("Mailbox"),
    "conference": _l("Conference"),
}
TRANSFER: Mapping[str, LazyString] = {
    "blind": _l("Passed on blind"),
    "attended": _l("After asking"),
    "park": _l("Parked"),
}
TABLES: Mapping[str, Mapping[str, LazyString]] = {
    "state": STATE,
    "priority": PRIORITY,
    "type": TYPE,
    "channel": CHANNEL,
    "grade": GRADE,
    "direction": DIRECTION,
    "disposition": DISPOSITION,
    "leg": LEG,
    "hangup": HANGUP,
    "segment": SEGMENT,
    "transfer": TRANSFER,
    "reason": REASON,
    "device": DEVICE,
    "ledger": LEDGER,
    "role": ROLE,
    "night": NIGHT,
    "gap": GAP,
}

# What scripts say; the page hands it over in the language of the request.
SCRIPT: Mapping[str, LazyString] = {
    "ringing": _l("Ringing"),
    "calling": _l("Calling"),
    "talking": _l("Talking"),
    "ended": _l("Call ended"),
    "answered_by": _l("Answered by {by}"),
    "gone": _l("Rings no longer"),
    "gone_abandoned": _l("The caller gave up"),
    "gone_rang-out": _l("Rang out, passed on"),
    "unknown": _l("Unknown caller"),
    "withheld": _l("Number withheld"),
    "several": _l("{n} possible customers"),
    "new_ticket": _l("New ticket · {number}"),
    "time_left": _l("{time} left"),
    "time_over": _l("{time} over"),
    "minutes": _l("{m} m"),
    "hours": _l("{h} h {m} m"),
    "days": _l("{d} d {h} h"),
    "last_good": _l("calls shown here are as of {time}."),
    "never_good": _l("no calls can be shown yet."),
    "not_heard": _l("The switch {name} has not been heard since {time}; calls may be missing here."),
    "night_failed": _l("The night failed; the boards show the last good figures. The reason is under Nights."),
    "own_ready": _l("Ready"),
    "own_ringing": _l("Ringing"),
    "own_talking": _l("Talking"),
    "own_offline": _l("Offline"),
    "grade_vip": GRADE["vip"],
    "grade_gold": GRADE["gold"],
    "grade_silver": GRADE["silver"],
    "grade_contract": GRADE["contract"],
    "play": _l("Play"),
    "pause": _l("Pause"),
    "no_sound": _l("The audio could not be read. Load the page again; if it stays so, tell an administrator."),
    "no_wave": _l("No waveform for this recording; seeking works all the same."),
}


def label(table: str, code: str | None) -> str:
    """The code in the language of the request; an unknown code is shown as it is."""
    return str(TABLES[table].get(code or "", code or "—"))
