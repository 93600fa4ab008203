"""Each permission code in plain words, in the groups in which a role's page shows them."""

from collections.abc import Iterable, Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

Words = Mapping[str, LazyString]

GROUPS: tuple[tuple[LazyString, Words], ...] = (
    (_l("Hotline"), {
        "desk.use": _l("Take calls at the desk, and be ready or paused"),
        "call.read": _l("See calls, their history and statistics"),
        "call.dial": _l("Call out with a click"),
        "call.listen": _l("Listen to recordings"),
        "call.consent": _l("Note that somebody does not want to be recorded"),
        "call.download": _l("Take recordings along as files"),
        "call.join": _l("Say that two calls are halves of one"),
    }),
    (_l("Supervising"), {
        "floor.watch": _l("See the wallboard and each agent's day"),
        "floor.listen": _l("Listen in, whisper and barge into calls"),
        "floor.control": _l("Change states and queues of agents"),
        "shift.plan": _l("Plan shifts and enter leave"),
    }),
    (_l("Tickets"), {
        "ticket.read": _l("See tickets"),
        "ticket.write": _l("Register tickets and work on them"),
        "ticket.take": _l("Tickets may be given to them"),
        "ticket.assign": _l("Give tickets to people"),
        "ticket.close": _l("Close tickets"),
    }),
    (_l("Customers and money"), {
        "party.read": _l("See customers and vendors"),
        "party.write": _l("Enter and change customers and vendors"),
        "party.merge": _l("Make one of two customers that are the same"),
        "party.setup": _l("Set up categories of customers and vendors"),
        "ledger.read": _l("See the accounts of customers"),
        "amount.read": _l("See amounts: what a customer owes or is charged"),
        "cost.read": _l("See costs: what things cost the firm, and margins"),
    }),
    (_l("Phone numbers and mail addresses"), {
        "phone.read": _l("See whole numbers and addresses everywhere"),
        "phone.reveal": _l("Uncover one at a time, on record"),
    }),
    (_l("Devices and sites"), {
        "device.read": _l("See devices, their components and history"),
        "device.write": _l("Enter, move, swap and retire devices"),
        "product.write": _l("Keep the catalogue of products"),
        "site.read": _l("See sites, projects and labels"),
        "site.write": _l("Enter and change sites and projects"),
        "maintenance.read": _l("See maintenance plans and visits"),
        "patrol.write": _l("Walk patrol rounds and note what was found"),
        "maintenance.write": _l("Make maintenance plans and settle visits"),
    }),
    (_l("Figures"), {
        "board.calls": _l("See the boards of calls"),
        "board.sla": _l("See the boards of tickets"),
        "export": _l("Take lists and boards along as workbooks"),
        "kpi.set": _l("Set how calls are measured"),
        "night.read": _l("See what the nights loaded and proved"),
        "night.run": _l("Start a night by hand"),
    }),
    (_l("Recordings"), {
        "recording.read": _l("See what is wrong with recordings"),
        "recording.hold": _l("Keep a recording from being deleted"),
        "recording.keep": _l("Set how long recordings are kept"),
    }),
    (_l("Administration"), {
        "list.share": _l("Share saved views with a role or a branch"),
        "import": _l("Load tables that people bring"),
        "staff.admin": _l("Manage people, roles, branches, shifts and settings"),
        "audit.read": _l("Read who changed what"),
    }),
)  # fmt: skip
OTHER = _l("Further")


def known() -> frozenset[str]:
    """Every code that has words."""
    return frozenset(code for _title, codes in GROUPS for code in codes)


def spoken(codes: Iterable[str]) -> list[str]:
    """The words of each code, in the order of the codes; one without words as it is."""
    words = {code: said for _title, group in GROUPS for code, said in group.items()}
    return [str(words.get(code, code)) for code in codes]


def groups(codes: Iterable[str]) -> list[tuple[LazyString, list[tuple[str, object]]]]:
    """All groups with code and words; codes without words come last, as they are."""
    rest: list[tuple[str, object]] = [(code, code) for code in sorted(set(codes) - known())]
    told: list[tuple[LazyString, list[tuple[str, object]]]] = [(title, list(words.items())) for title, words in GROUPS]
    return [*told, (OTHER, rest)] if rest else told
