"""Codes as people read them. Each table is the whole list of codes that a page may meet."""

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from service.devices import queries as devices
from service.maintenance.queries import PLAN_STATE, VISIT_STATE
from service.parties.queries import WORDS as PARTY
from service.tickets.queries import STATE

SECRET: Mapping[str, LazyString] = {"secret": _l("Secret"), "password": _l("Password or code")}

PAUSE_END: Mapping[str, LazyString] = {
    "left": _l("left"),
    "sent": _l("form sent"),
    "gone": _l("page closed"),
    "agent-left": _l("the agent was out of the call"),
    "call-over": _l("the call was over"),
    "time": _l("after two minutes by itself"),
    "failed": _l("the switch did not do it"),
}

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
    "plan": _l("Maintenance plan"),
    "patrol": _l("Patrol"),
}
GRADE = PARTY["grade"]
DIRECTION: Mapping[str, LazyString] = {
    "inbound": _l("Inbound"),
    "outbound": _l("Outbound"),
    "internal": _l("Internal"),
    "supervision": _l("Listening in"),
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
SWAP: Mapping[str, LazyString] = {
    "swap": _l("Swap"),
    "removal": _l("Removal"),
    "installation": _l("Installation"),
}
ROLE: Mapping[str, LazyString] = {
    "agent": _l("Agent"),
    "supervisor": _l("Supervisor"),
    "technician": _l("Technician"),
    "finance": _l("Finance"),
    "manager": _l("Manager"),
    "admin": _l("Administrator"),
}
REACH: Mapping[str, LazyString] = {
    "own": _l("Own tickets"),
    "department": _l("Own department"),
    "branch": _l("Own branch"),
    "below": _l("Branch and below"),
    "all": _l("All branches"),
}
BRANCH: Mapping[str, LazyString] = {
    "headquarters": _l("Headquarters"),
    "region": _l("Region"),
    "branch": _l("Branch"),
    "agent": _l("Agent's company"),
}
PERSON: Mapping[str, LazyString] = {
    "staff": _l("Works here"),
    "collector": _l("Collects information"),
    "provider": _l("Outside provider"),
    "portal": _l("Portal member"),
}
LEAVE: Mapping[str, LazyString] = {
    "annual": _l("Annual leave"),
    "sick": _l("Sick leave"),
    "personal": _l("Personal leave"),
    "training": _l("Training"),
    "swap": _l("Time off in lieu"),
    "other": _l("Other"),
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
DOUBT: Mapping[str, LazyString] = {
    "events inside a caller's number": _l("events inside a caller's number"),
    "events after a number that broke its event": _l("events after a number that broke its event"),
    "a frame without a head": _l("the rest of an event that was torn in two"),
    "a header twice, or a line that is none, or one inside a number": _l("headers inside a caller's number"),
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
ABOUT: Mapping[str, LazyString] = {
    "consultation": _l("Question"),
    "fault": _l("Fault report"),
    "complaint": _l("Complaint"),
    "revisit": _l("Revisit"),
    "other": _l("Something else"),
}
OUTCOME: Mapping[str, LazyString] = {
    "answered": _l("Answered"),
    "missed": _l("Not answered"),
    "busy": _l("Busy"),
    "failed": _l("Failed"),
}
WHY: Mapping[str, LazyString] = {
    "called again": _l("Called again and was answered"),
    "called back": _l("Called back"),
    "by hand": _l("Taken off by hand"),
}
AGENT: Mapping[str, LazyString] = {
    "offline": _l("Offline"),
    "ready": _l("Ready"),
    "ringing": _l("Ringing"),
    "talking": _l("Talking"),
    "hold": _l("On hold"),
    "acw": _l("After-call work"),
    "pause": _l("Paused"),
}
PAUSE: Mapping[str, LazyString] = {
    "break": _l("Break"),
    "meeting": _l("Meeting"),
    "training": _l("Training"),
    "lunch": _l("Lunch"),
    "coaching": _l("Coaching"),
}
BOARD: Mapping[str, LazyString] = {
    "waiting": _l("Waiting"),
    "ringing": _l("Ringing"),
    "talking": _l("Talking"),
    "held": _l("On hold"),
    "ended": _l("Ended"),
}
CONSENT: Mapping[str, LazyString] = {
    "announced": _l("Announced"),
    "given": _l("Consented"),
    "refused": _l("Refused to be recorded"),
}
RETENTION: Mapping[str, LazyString] = {
    "ordinary": _l("Ordinary call"),
    "outbound": _l("Outbound call"),
    "complaint": _l("About a complaint"),
}
DELETED: Mapping[str, LazyString] = {
    "retention": _l("Kept long enough"),
    "refused": _l("The caller refused"),
}
FOUND: Mapping[str, LazyString] = {
    "key": _l("Master key"),
    "disk": _l("Not stored"),
    "link": _l("Not reached"),
    "missing": _l("Missing"),
    "orphan": _l("No call"),
    "late": _l("Late"),
    "empty": _l("Empty"),
    "unusable": _l("Unusable"),
    "refused": _l("Refused"),
}
FINDING: Mapping[str, LazyString] = {
    "key": _l("The master key cannot be read or is another one. Put the right key file back; calls go on, and audio waits at the switch."),
    "link": _l("The folder of the switch cannot be reached; its files wait there."),
    "disk": _l("The file could not be stored; it is tried again."),
    "missing": _l("The switch recorded this call, and no file has come."),
    "orphan": _l("No call is known for this file."),
    "late": _l("The file came long after its call."),
    "empty": _l("The file holds no sound: nobody was connected while it was written."),
    "unusable": _l("The file is none that the dialplan writes."),
    "refused": _l("The caller refused to be recorded; the file still lies at the switch. Delete it there."),
}
FILLING: Mapping[str, LazyString] = {"running": _l("Running"), "done": _l("Done"), "failed": _l("Failed")}
FILLED_WHY: Mapping[str, LazyString] = {
    "after a gap": _l("After a gap"),
    "hourly": _l("Hourly"),
    "by hand": _l("By hand"),
}
CONDITION: Mapping[str, LazyString] = {"normal": _l("In order"), "abnormal": _l("Abnormal")}
TABLES: Mapping[str, Mapping[str, LazyString]] = {
    "condition": CONDITION,
    "agent": AGENT,
    "pause": PAUSE,
    "board": BOARD,
    "state": STATE,
    "visit": VISIT_STATE,
    "plan": PLAN_STATE,
    "priority": PRIORITY,
    "type": TYPE,
    "channel": CHANNEL,
    "direction": DIRECTION,
    "disposition": DISPOSITION,
    "leg": LEG,
    "hangup": HANGUP,
    "segment": SEGMENT,
    "about": ABOUT,
    "outcome": OUTCOME,
    "why": WHY,
    "transfer": TRANSFER,
    "reason": REASON,
    "device": DEVICE,
    "swap": SWAP,
    "warranty": devices.RESULT,
    "charge": devices.CHARGE,
    "ledger": LEDGER,
    "role": ROLE,
    "reach": REACH,
    "branch": BRANCH,
    "person": PERSON,
    "leave": LEAVE,
    "night": NIGHT,
    "gap": GAP,
    "doubt": DOUBT,
    "consent": CONSENT,
    "retention": RETENTION,
    "deleted": DELETED,
    "found": FOUND,
    "finding": FINDING,
    "filling": FILLING,
    "secret": SECRET,
    "pause_end": PAUSE_END,
    "filled_why": FILLED_WHY,
    **PARTY,
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
    "forged": _l("A caller has forged lines on the way to {name}; they were kept back."),
    "night_failed": _l("The night failed; the boards show the last good figures. The reason is under Nights."),
    **{f"own_{code}": name for code, name in AGENT.items()},
    **{f"pause_{code}": name for code, name in PAUSE.items()},
    "order_asked": _l("Your phone will ring in a moment."),
    "order_accepted_dial": _l("Your phone rings. Pick up, and {number} is called."),
    "order_accepted_listen": _l("Your phone rings. Pick up to listen in."),
    "order_accepted_whisper": _l("Your phone rings. Pick up; only the agent will hear you."),
    "order_accepted_barge": _l("Your phone rings. Pick up; both will hear you."),
    "order_confirmed_blind": _l("Passed on to {number}."),
    "order_accepted_atxfer": _l("{number} is being asked. Hang up to pass the call on."),
    "order_confirmed_atxfer": _l("Passed on to {number}."),
    "order_confirmed_park": _l("The call is parked."),
    "order_unknown": _l("It is not known whether this was done: the line to the switch was cut. Look at your phone before you try again."),
    "order_failed": _l("The switch refused this. Try again, or tell an administrator."),
    "order_no-actor": _l("This switch takes no orders. Ask an administrator to set actor_username and actor_secret."),
    "order_no-right": _l("The switch does not let Ringdesk do this. Ask an administrator to look at the rights of the user actor."),
    "order_unknown-action": _l("This switch cannot do that. Use the keys of the phone."),
    "order_too-late": _l("The switch could not be reached in time, and nothing was done. Try again in a moment."),
    "order_seat-changed": _l("You do not sit at that phone any more. Take your seat again and repeat it."),
    "order_not-yours": _l("That call is not at your phone, so nothing was done."),
    "order_call-over": _l("That call is over."),
    "order_bad-number": _l("This number cannot be dialled. Correct it and try again."),
    "order_phone-busy": _l("Your phone is busy or refused the call. Hang up there and try again."),
    "order_phone-no-answer": _l("Your phone was not picked up, so nobody was called."),
    "order_phone-away": _l("Your phone cannot be reached. See that it is plugged in and registered."),
    "order_transfer-failed": _l("The call could not be passed on; it is still at your phone."),
    "order_key": _l("The request could not be told from another one. Load the page again."),
    "secret_asked": _l("The recording is being paused…"),
    "secret_silent": _l("The recording is silent, for {time} at most."),
    "secret_over": _l("The recording goes on."),
    "secret_time": _l("Two minutes are over: the recording goes on. Leave the field and come back if more is to be said."),
    "secret_failed": _l("The recording was not paused. Do not let the secret be said."),
    "secret_not-recorded": _l("This call is not being recorded."),
    "secret_recorded-elsewhere": _l("The call is recorded in a second place that Ringdesk cannot silence."),
    "secret_not-verified": _l("The switch did not confirm it."),
    "secret_cut": _l("The line to the switch was cut."),
    "grade_vip": GRADE["vip"],
    "grade_gold": GRADE["gold"],
    "grade_silver": GRADE["silver"],
    "grade_contract": GRADE["contract"],
    "play": _l("Play"),
    "pause": _l("Pause"),
    "no_sound": _l("The audio could not be read. Load the page again; if it stays so, tell an administrator."),
    "silence": _l("Silence"),
    "paused": _l("Paused"),
}


def label(table: str, code: str | None) -> str:
    """The code in the language of the request; an unknown code is shown as it is."""
    return str(TABLES[table].get(code or "", code or "—"))
