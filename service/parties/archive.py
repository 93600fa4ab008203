"""A whole party is written down or changed: its own fields, and the rows that stand below it. One audit line tells all of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import audit, editing, locks, numbers, search
from service.core.errors import DeskError, Invalid, NotFound
from service.parties import duplicates, rules, told
from service.parties.index import index
from service.parties.model import Party, PartyCategory
from service.parties.rows import write_rows
from service.parties.schemas import Alike, PartyDraft

PLAIN = (
    "kind", "grade", "category_id", "vendor_category_id", "address", "email", "fax", "web", "note", "credit_days", "credit_limit",
    "settlement", "settlement_day", "vendor_days",
)  # fmt: skip


class LooksAlike(DeskError):
    """There are parties that may be the same one; `alike` are they."""

    status = 422

    def __init__(self, alike: list[Alike]) -> None:
        names = _(", ").join(f"{one.name} {one.number}" for one in alike[:3])
        super().__init__(_("This may be on file already: %(names)s. Take it, or save anyway.", names=names))
        self.alike = alike


def create(
    session: Session, draft: PartyDraft, *, by: int, branch_id: int, at: datetime, request_key: str | None = None, anyway: bool = True
) -> int:
    """The party exists with everything below it; the same form twice is one party. Raises LooksAlike unless `anyway`."""
    known = same_request(session, request_key)
    if known is not None:
        return known
    _check(session, draft)
    alike = duplicates.alike(session, duplicates.asked(draft))
    if alike and not anyway:
        raise LooksAlike(alike)
    party = Party(number=numbers.take(session, "C", at, Party), created_at=at, branch_id=branch_id, request_key=request_key)
    _put(party, draft)
    session.add(party)
    session.flush()
    write_rows(session, party, draft)
    index(session, [party.id])
    _record(session, party, "created", {}, told.facts(session, party), by, at)
    if alike:
        spite = {"alike": ", ".join(one.number for one in alike)}
        _record(session, party, "saved despite look-alikes", {}, spite, by, at)
    return party.id


def same_request(session: Session, key: str | None) -> int | None:
    """The party of the same form, also of one that is being saved at this moment."""
    if not key:
        return None
    locks.hold(session, "party request", key)
    return session.scalars(select(Party.id).where(Party.request_key == key)).first()


def change(session: Session, party_id: int, draft: PartyDraft, *, version: int, by: int, at: datetime) -> None:
    """The party is as the form says. Raises Stale when another one saved it meanwhile, Invalid, NotFound."""
    party = locked(session, party_id)
    editing.fresh(party.version, version)
    _check(session, draft)
    before = told.facts(session, party)
    _put(party, draft)
    write_rows(session, party, draft)
    changed(session, party, before, by=by, at=at)


def changed(session: Session, party: Party, before: Mapping[str, Any], *, by: int, at: datetime, verb: str = "changed") -> None:
    """What differs from `before` is on record, found as it is now, and whoever edits the old version will hear of it."""
    session.flush()
    after = told.facts(session, party)
    old = {name: before.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}
    if not old:
        return
    party.version += 1
    session.flush()
    index(session, [party.id])
    names = sorted(old)
    _record(session, party, verb, {n: old[n] for n in names}, {n: after.get(n) for n in names}, by, at)


def disable(session: Session, party_id: int, reason: str, *, pending: Iterable[str] = (), by: int, at: datetime) -> None:
    """The party is out of use. What is still `pending` does not hinder it, but then a reason is needed."""
    party, why, waits = locked(session, party_id), rules.clean(reason)[: rules.LONGEST["reason"]], list(pending)
    if waits and not why:
        what = _(", ").join(waits)
        refusal = _("There is still something open: %(what)s. Say why it is taken out of use all the same.", what=what)
        raise Invalid(refusal, {"reason": refusal})
    _state(session, party, "disabled", why, by, at)


def enable(session: Session, party_id: int, *, by: int, at: datetime) -> None:
    """The party is in use again."""
    _state(session, locked(session, party_id), "active", "", by, at)


def _state(session: Session, party: Party, state: str, why: str, by: int, at: datetime) -> None:
    before = told.facts(session, party)
    party.state, party.state_reason = state, why
    changed(session, party, before, by=by, at=at, verb=state)


def locked(session: Session, party_id: int) -> Party:
    """The party, held until the end; a merged one is no longer there to be changed."""
    party = session.get(Party, party_id, with_for_update=True, populate_existing=True)
    if party is None or party.merged_into_id is not None:
        raise NotFound(_("This customer is not in your branches. Search again or ask the branch that owns it."))
    return party


def _put(party: Party, draft: PartyDraft) -> None:
    for name in PLAIN:
        setattr(party, name, getattr(draft, name))
    for role in rules.ROLES:
        setattr(party, role, role in draft.roles)
    party.tags = list(draft.tags)
    party.tax_number = rules.tax_key(draft.tax_number)
    named(party, draft.name)


def named(party: Party, name: str) -> None:
    """The party is called so, and sorted and compared by it."""
    party.name, party.name_pinyin, party.name_key = name, search.reading(name), rules.name_key(name)


def _check(session: Session, draft: PartyDraft) -> None:
    wrong: dict[str, str] = {}
    if not draft.name:
        wrong["name"] = _("Give the customer a name.")
    if not draft.roles:
        wrong["roles"] = _("Choose at least one: customer, supplier, carrier or outside repairer.")
    for name, side, needed in (("category_id", "customer", "customer" in draft.roles), ("vendor_category_id", "vendor", False)):
        wrong |= _category_fault(session, name, getattr(draft, name), side, needed)
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)


def _category_fault(session: Session, field: str, category_id: int | None, side: str, needed: bool) -> dict[str, str]:
    found = session.get(PartyCategory, category_id) if category_id else None
    if category_id and (found is None or found.side != side):
        return {field: _("This category is gone. Choose another.")}
    missing = needed and not category_id and session.scalars(select(PartyCategory.id).where(PartyCategory.side == side)).first()
    return {field: _("Choose a category; every customer has one.")} if missing else {}


def usual(session: Session, side: str = "customer") -> int | None:
    """The category that a new party gets when nobody chose one."""
    wanted = select(PartyCategory.id).where(PartyCategory.side == side)
    return session.scalars(wanted.order_by(PartyCategory.usual.desc(), PartyCategory.position, PartyCategory.id)).first()


def _record(
    session: Session, party: Party, verb: str, old: dict[str, Any], new: dict[str, Any], by: int, at: datetime
) -> None:
    audit.record(
        session, at=at, by=by, verb=verb, entity="party", entity_id=party.id, old=old or None, new=new, branch_id=party.branch_id
    )

