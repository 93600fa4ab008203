"""What is wrong with a file or a cell, as sentences; jobs store codes and facts, and the reader's language is chosen here."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from service.core.intake.target import Field, Target

UNREADABLE: Mapping[str, Any] = {
    "empty": _l("The file has no filled row. Fill the template and bring it again."),
    "large": _l("The file is larger than %(most)s MB. Split it and bring the parts one after the other."),
    "rows": _l("The file has more than %(most)s rows. Split it and bring the parts one after the other."),
    "old_excel": _l("This is an old Excel file (.xls), or one behind a password. Open it in Excel, choose “Save as”, type “Excel workbook (.xlsx)”, without a password, and bring that."),
    "no_workbook": _l("This is no Excel workbook. Save the table as .xlsx or .csv and bring that."),
    "broken": _l("The file is damaged or incomplete. Open it in Excel, save it again and bring that."),
    "bomb": _l("The file unpacks to far more than a table needs and was not opened. Copy the rows into a new workbook and bring that."),
    "sparse": _l("A cell far below or beside the table is filled (row %(row)s). Delete what stands outside the table, save, and bring the file again."),
    "wide": _l("The table has more than %(most)s columns. Delete those that are not needed and bring the file again."),
    "merged": _l("Too many cells are merged. Undo the merging in Excel, save, and bring the file again."),
    "no_text": _l("This is no text file with columns. Save the table as .xlsx or .csv and bring that."),
    "encoding": _l("The letters of this file cannot be read: it is neither UTF-8 nor GBK nor UTF-16. Save it in Excel as “CSV UTF-8” or as .xlsx."),
    "not_in": _l("The file cannot be read as %(encoding)s: line %(line)s does not fit. Choose another encoding, or save it as .xlsx."),
    "quote": _l("A quotation mark is never closed, near line %(line)s. Mend that line, or save the table as .xlsx."),
    "no_header": _l("Row %(line)s has no headings. Type the number of the row that has them."),
    "gone": _l("The file is no longer kept. Bring it again."),
    "fault": _l("Something went wrong in the midst of it. Start it again: it goes on where it stopped. If it stops once more, tell an administrator; the log says why."),
}
CELL: Mapping[str, Any] = {
    "missing": _l("%(field)s must not be empty."),
    "long": _l("%(letters)s letters are too many; at most %(most)s."),
    "rounded": _l("Excel has rounded this number and digits are lost. Format the column as text and type it again."),
    "phone_rounded": _l("Excel shows this number rounded and its last digits are lost. Format the column as text and type the number again."),
    "phone": _l("This is no telephone number. Write digits such as 13812341001 or 021-62345678."),
    "day": _l("This cannot be read as a day. Write it as 2026-11-26."),
    "no_such_day": _l("There is no such day. Write it as 2026-11-26."),
    "whole": _l("This must be a whole number from %(least)s to %(most)s."),
    "money": _l("This is no amount. Write it as 1234.50, without a minus."),
    "mail": _l("This is no mail address."),
    "choice": _l("This is none of: %(choices)s."),
    "twice": _l("Row %(line)s of the file says the same thing already; that one counts."),
    "taken": _l("This number is in use in a branch that you do not see. Give another."),
    "refused": _l("The row could not be written. %(why)s"),
}
PLACES: Mapping[str, Any] = {
    "ticket": _l("tickets"), "call": _l("calls"), "device": _l("devices"), "contact": _l("contacts"), "party_phone": _l("phones"), "ledger_item": _l("open items"),
    "agent_pop": _l("calls"), "missed_caller": _l("missed callers"), "staff_session": _l("sign-ins"), "device_event": _l("lines of their history"), "device_holding": _l("holders"), "maintenance_plan": _l("maintenance plans"), "site": _l("sites"), "project": _l("projects"), "device_component": _l("components"), "extension_assignment": _l("seats"),
    "contact_mail": _l("mail addresses"), "contract": _l("contracts"), "party_account": _l("accounts in other systems"), "party_department": _l("departments of customers"), "party": _l("customers that were merged into them"),
    "ticket_event": _l("lines of tickets"), "call_leg": _l("calls"), "call_segment": _l("calls"), "call_transfer": _l("calls"), "call_pair": _l("calls"), "call_consent": _l("calls"), "recording_play": _l("recordings"), "recording_hold": _l("recordings"), "recording_pause": _l("recordings"), "recording_deletion": _l("recordings"),
    "patrol_round": _l("patrol rounds"), "patrol_stop": _l("patrol rounds"), "attachment": _l("pictures"),
    "department": _l("departments that they head"), "team": _l("teams"), "team_member": _l("teams"), "shift": _l("shifts"), "leave": _l("leave"), "import_batch": _l("imports"), "import_mapping": _l("imports"), "saved_view": _l("saved views"),
    "agent_state": _l("states at the phone"), "agent_state_change": _l("states at the phone"), "agent_queue": _l("queues of agents"), "list_setting": _l("arranged columns"), "staff_role": _l("roles"), "staff_password": _l("passwords"), "staff_totp": _l("second factors"), "recovery_code": _l("second factors"), "passkey": _l("second factors"), "passkey_challenge": _l("second factors"), "sign_in_step": _l("sign-ins"), "kpi_policy": _l("ways of measuring"),
    "device_swap": _l("swaps and removals"), "phone_order": _l("dialled calls"), "party_apart": _l("pairs said to be two"), "party_merge_row": _l("merged customers"), "maintenance_reminder": _l("maintenance visits"), "patrol_visit": _l("patrols"), "patrol_device": _l("patrols"),
}
OTHERS = _l("other records")
STATE: Mapping[str, Any] = {
    "uploaded": _l("Columns to choose"), "checking": _l("Being checked"), "checked": _l("Checked, not loaded"), "loading": _l("Being loaded"),
    "loaded": _l("Loaded"), "undoing": _l("Being taken back"), "undone": _l("Taken back"),
}
ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gb18030": "GBK / GB18030", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "big5": "Big5"}


def unreadable(code: str, facts: Mapping[str, Any]) -> str:
    """Why a file cannot be taken."""
    return filled(UNREADABLE.get(code, UNREADABLE["broken"]), facts)


def trouble(told: Mapping[str, Any] | None) -> str:
    """Why a batch stands where it does; empty when nothing is wrong."""
    if not told:
        return ""
    facts = told.get("facts", {})
    if told["code"] == "in_use":
        places: Counter[str] = Counter()
        for table, count in facts.items():
            places[str(PLACES.get(table, OTHERS))] += count
        uses = "、".join(f"{place} ({count})" for place, count in places.items())
        return str(_("It cannot be taken back: things that it created are in use by others: %(uses)s. Remove those first, or leave the import as it is.", uses=uses))
    if told["code"] == "left":
        return str(_("%(number)s rows were changed by somebody since and keep that change.", number=facts.get("number", 0)))
    return unreadable(told["code"], facts)


def sentence(target: Target, finding: Mapping[str, Any]) -> str:
    """What is wrong with one cell."""
    one = field(target, finding["field"])
    facts = {"field": str(one.head) if one else "", "choices": choices(one) if one else ""} | finding.get("facts", {})
    words = target.sentences.get(finding["code"]) or CELL.get(finding["code"], CELL["refused"])
    return filled(words, {"why": "", "least": 0} | facts).strip()


def field(target: Target, name: str) -> Field | None:
    """The field of that name."""
    return next((one for one in target.fields if one.name == name), None)


def choices(one: Field) -> str:
    """What may be typed, in the reader's language."""
    return str(_(", ")).join(str(words[0]) for words in one.choices.values())


def filled(words: Any, facts: Mapping[str, Any]) -> str:
    """The sentence with its facts; one that is missing is left out rather than breaking a page."""
    return str(words) % _Facts(facts)


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "—"
