"""Two parties become one. Every row follows, and whose it was before stays known; the old one leads to the new one for ever.

Contexts above keep rows about parties. Each hands over an action that moves its own; wire() lists them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from flask_babel import gettext as _
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from service.core import audit
from service.core.editing import Stale
from service.core.errors import DeskError, Invalid, NotFound
from service.core.scope import Scope
from service.parties import archive, told
from service.parties.index import index
from service.parties.model import (
    Contact,
    ContactMail,
    Contract,
    Party,
    PartyAccount,
    PartyApart,
    PartyDepartment,
    PartyMergeRow,
    PartyPhone,
)

FIELDS = (
    "name", "kind", "grade", "category_id", "vendor_category_id", "address", "email", "fax", "web", "tax_number", "note",
    "credit_days", "credit_limit", "settlement", "settlement_day", "vendor_days",
)  # fmt: skip
LATE = timedelta(days=3)  # for so long a call that was ringing during the merge may still be stored for the old party
Moved = Mapping[str, Sequence[int]]


class Follower(Protocol):
    """A context's part: its rows of the old party are the new one's; returns their ids by table."""

    def __call__(self, session: Session, old: int, new: int, *, by: int | None, at: datetime) -> Moved:
        """Nothing of this context names the old party any more."""


@dataclass
class Registry:
    """Who follows, in the order of the contexts."""

    followers: tuple[Follower, ...] = ()


FOLLOWERS = Registry()


def followed_by(followers: Sequence[Follower]) -> None:
    """From now on these move their rows with a merge; called by wire()."""
    FOLLOWERS.followers = tuple(followers)


class DifferentBranches(DeskError):
    """Tickets and devices stay in their branch, so their customer must stay there too."""


class SameParty(DeskError):
    """A party cannot become itself."""


def merge(
    session: Session, old_id: int, new_id: int, chosen: Collection[str] = (), *, within: Scope, by: int, at: datetime,
    versions: tuple[int | None, int | None] = (None, None),
) -> None:  # fmt: skip
    """The old party is the new one: its rows follow, fields in `chosen` are taken from it, its number finds the new one.

    The session sees all branches, since rows of both stand in several; `within` is what the person may write;
    `versions` are those of the two that were compared. Raises Stale when another one saved either meanwhile.
    """
    if old_id == new_id:
        raise SameParty(_("This is the same party. Choose another one."))
    held = {party_id: archive.locked(session, party_id) for party_id in sorted((old_id, new_id))}
    old, new = held[old_id], held[new_id]
    if not (within.covers(old.branch_id) and within.covers(new.branch_id)):
        raise NotFound(_("This customer is not in your branches. Search again or ask the branch that owns it."))
    if old.branch_id != new.branch_id:
        raise DifferentBranches(
            _("The two belong to different branches, and each branch must go on seeing its own tickets with their customer. Keep both, and disable the one that is not needed.")
        )
    if any(seen not in (None, one.version) for one, seen in zip((old, new), versions, strict=True)):
        raise Stale(_("Somebody else saved one of the two meanwhile. Compare them again before you merge them."))
    if not set(chosen) <= set(FIELDS):
        raise Invalid(_("Choose each value from one of the two."))
    before = told.facts(session, new)
    given = told.facts(session, old)
    _take(old, new, chosen)
    old.state, old.state_reason, old.merged_into_id, old.version = "merged", "", new.id, old.version + 1
    old.customer, old.request_key = True, None
    session.flush()
    _hand_over(session, old, new, by=by, at=at)
    session.execute(update(Party).where(Party.merged_into_id == old.id).values(merged_into_id=new.id))
    _told(session, old, "merged into", given, {"number": new.number, "name": new.name}, by, at)
    archive.changed(session, new, before, by=by, at=at, verb="took over")
    _told(session, new, "merged", {"number": old.number, "name": old.name}, {"fields": ", ".join(sorted(chosen))}, by, at)
    index(session, [old.id, new.id])


def _take(old: Party, new: Party, chosen: Collection[str]) -> None:
    for name in chosen:
        setattr(new, name, getattr(old, name))
    archive.named(new, new.name)
    for role in old.roles:
        setattr(new, role, True)
    new.tags = list(dict.fromkeys([*(new.tags or []), *(old.tags or [])]))


def _hand_over(session: Session, old: Party, new: Party, *, by: int | None, at: datetime) -> None:
    """Own rows and those of every context are the new party's, each with a line that says whose it was."""
    _traced(session, old, new, _own(session, old, new), at)
    for follower in FOLLOWERS.followers:
        _traced(session, old, new, follower(session, old.id, new.id, by=by, at=at), at)


def _traced(session: Session, old: Party, new: Party, moved: Moved, at: datetime) -> None:
    facts = {"party_id": old.id, "into_id": new.id, "at": at, "branch_id": new.branch_id}
    rows = [facts | {"kind": kind, "row_id": row_id} for kind, ids in moved.items() for row_id in ids]
    if rows:
        session.execute(insert(PartyMergeRow), rows)


def _own(session: Session, old: Party, new: Party) -> dict[str, list[int]]:
    """Departments of one name are one; numbers that both have are one; all other rows move as they are."""
    moved = {"party_department": _departments(session, old, new)}
    _apart(session, old, new)
    _twice(session, old, new)
    _one_person(session, old, new)
    _one_preferred(session, old, new)
    for model in (Contact, PartyPhone, ContactMail, Contract, PartyAccount):
        values = {"party_id": new.id, "branch_id": new.branch_id}
        answer = session.execute(update(model).where(model.party_id == old.id).values(values).returning(model.id))
        moved[str(model.__tablename__)] = list(answer.scalars())
    session.expire_all()
    return moved


def _departments(session: Session, old: Party, new: Party) -> list[int]:
    there = {one.name: one.id for one in session.scalars(select(PartyDepartment).where(PartyDepartment.party_id == new.id))}
    moved = []
    for one in session.scalars(select(PartyDepartment).where(PartyDepartment.party_id == old.id)).all():
        if one.name in there:
            session.execute(update(Contact).where(Contact.department_id == one.id).values(department_id=there[one.name]))
            session.delete(one)
        else:
            one.party_id, one.branch_id = new.id, new.branch_id
            moved.append(one.id)
    session.flush()
    return moved


def _apart(session: Session, old: Party, new: Party) -> None:
    """Whom the old party was told apart from, the new one is too: it has what made them look alike."""
    for pair in session.scalars(select(PartyApart).where((PartyApart.one_id == old.id) | (PartyApart.other_id == old.id))).all():
        other = pair.other_id if pair.one_id == old.id else pair.one_id
        one, two = sorted((new.id, other))
        session.delete(pair)
        session.flush()
        kept = select(PartyApart.id).where(PartyApart.one_id == one, PartyApart.other_id == two)
        if one != two and session.scalars(kept).first() is None:
            session.add(PartyApart(one_id=one, other_id=two, by_id=pair.by_id, at=pair.at, branch_id=pair.branch_id))
    session.flush()


def _twice(session: Session, old: Party, new: Party) -> None:
    """A number of the old party itself that the new one has as well is not kept twice."""
    there = set(session.scalars(select(PartyPhone.digits).where(PartyPhone.party_id == new.id)))
    own = select(PartyPhone).where(PartyPhone.party_id == old.id, PartyPhone.contact_id.is_(None))
    for phone in session.scalars(own).all():
        if phone.digits in there:
            session.delete(phone)
    session.flush()


def _one_person(session: Session, old: Party, new: Party) -> None:
    """Who stands in both with one number or mail is one person: what only the old row had is the other's, and the row itself stays, out of use, for what names it."""
    ways = {party.id: _ways(session, party.id) for party in (old, new)}
    there = {contact.name.casefold(): contact for contact in _in_use(session, new.id)}
    for person in _in_use(session, old.id):
        twin = there.get(person.name.casefold())
        if twin is None or not ways[old.id][person.id].keys() & ways[new.id][twin.id].keys():
            continue
        for way, row in ways[old.id][person.id].items():
            if way in ways[new.id][twin.id]:
                session.delete(row)
            else:
                row.contact_id = twin.id
        person.active = person.preferred = False
    session.flush()


def _in_use(session: Session, party_id: int) -> list[Contact]:
    return list(session.scalars(select(Contact).where(Contact.party_id == party_id, Contact.active).order_by(Contact.id.desc())))


def _ways(session: Session, party_id: int) -> dict[int, dict[str, PartyPhone | ContactMail]]:
    """The numbers and mails of each contact."""
    found: dict[int, dict[str, PartyPhone | ContactMail]] = defaultdict(dict)
    for phone in session.scalars(select(PartyPhone).where(PartyPhone.party_id == party_id, PartyPhone.contact_id.is_not(None))):
        found[phone.contact_id or 0][phone.digits] = phone
    for mail in session.scalars(select(ContactMail).where(ContactMail.party_id == party_id)):
        found[mail.contact_id][mail.address.casefold()] = mail
    return found


def _one_preferred(session: Session, old: Party, new: Party) -> None:
    main = select(Contact.id).where(Contact.party_id == new.id, Contact.preferred)
    if session.scalars(main).first() is not None:
        session.execute(update(Contact).where(Contact.party_id == old.id).values(preferred=False))


def _told(session: Session, party: Party, verb: str, old: dict[str, Any], new: dict[str, Any], by: int, at: datetime) -> None:
    audit.record(session, at=at, by=by, verb=verb, entity="party", entity_id=party.id, old=old, new=new, branch_id=party.branch_id)


def sweep(session: Session, *, at: datetime) -> None:
    """What a process was just writing for the old party when it was merged follows it too."""
    lately = select(PartyMergeRow.party_id).where(PartyMergeRow.at > at - LATE)
    for old in session.scalars(select(Party).where(Party.state == "merged", Party.id.in_(lately))).all():
        new = session.get_one(Party, old.merged_into_id)
        _hand_over(session, old, new, by=None, at=at)


def survivor(session: Session, party_id: int) -> int:
    """The party that this one became, or itself."""
    return session.scalars(select(Party.merged_into_id).where(Party.id == party_id)).first() or party_id
