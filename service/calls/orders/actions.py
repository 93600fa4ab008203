"""Orders are asked for once, taken once, and told how they went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls.agents.model import QueueMember
from service.calls.model import Call
from service.calls.orders import rules
from service.calls.orders.model import PhoneOrder as PhoneOrder
from service.calls.schemas import OrderOutcome, TakenOrder
from service.core import audit, live, masking
from service.core.errors import DeskError, Invalid
from service.staff import queries as people

OPEN = ("requested", "accepted")
OWN_CHANNEL = ("dial", *rules.SPYING)  # their first channel has an id of ours


class NoSeat(DeskError):
    """Orders go to the phone in front of a person; who sits nowhere has none."""


@dataclass(frozen=True)
class About:
    """What a call is for: a customer, one of their contacts, and the thing it was begun from."""

    party_id: int | None = None
    contact_id: int | None = None
    kind: str = ""
    id: int | None = None


def dial(session: Session, number: str, *, key: str, by: int, at: datetime, about: About = About(), name: str = "") -> PhoneOrder:
    """The person's own phone will ring, and then that number; the same key again is the same order."""
    wanted = None if masking.is_covered(number) else rules.dialled(number)
    if wanted is None:
        raise Invalid(_("“%(number)s” cannot be dialled. Type digits, with + in front for a number abroad.", number=masking.masked_phone(number[:40])))
    seat = _seat(session, by, at)
    return ask(session, "dial", by, *seat, {"number": wanted, "name": rules.shown_name(name)}, by=by, at=at, key=key, about=about)


def on_call(session: Session, kind: str, call_key: str, *, key: str, by: int, at: datetime, to: str = "") -> PhoneOrder:
    """Something is done with the call at the person's own phone: blind, atxfer, atxfer_cancel, park, hangup."""
    if kind not in rules.ON_CALL:
        raise Invalid(_("A call can be passed on, parked or hung up."))
    args: dict[str, Any] = {"call_key": call_key}
    if kind in ("blind", "atxfer"):
        target = rules.target(to)
        if target is None:
            raise Invalid(_("Type the extension or number that the call goes to."), {"to": _("Digits only.")})
        args["to"] = target
    return ask(session, kind, by, *_seat(session, by, at), args, by=by, at=at, key=key)


def listen_in(session: Session, kind: str, staff_id: int, phone: tuple[str, str], *, key: str, by: int, at: datetime) -> PhoneOrder:
    """The supervisor's phone will ring, and then hear the agent's: listen, whisper to them, or barge in; it is on record.

    `phone` is the agent's switch and extension: the same number at another switch is somebody else's.
    """
    if kind not in rules.SPYING:
        raise Invalid(_("Choose listen, whisper or barge in."))
    (switch, own), (its, extension) = _seat(session, by, at), phone
    if switch != its:
        raise Invalid(_("This agent sits at the switch %(switch)s. Take a seat there to listen in.", switch=its))
    if own == extension:
        raise Invalid(_("This is your own phone."))
    order = ask(session, kind, by, switch, own, {"target": extension}, by=by, at=at, key=key)
    if order.requested_at != at:  # a double click: on record already
        return order
    branch_id = people.branch_of(session, staff_id)
    told = {"extension": extension, "order": order.id}
    audit.record(session, at=at, by=by, verb=kind, entity="staff", entity_id=staff_id, new=told, branch_id=branch_id)
    return order


def ask(
    session: Session,
    kind: str,
    staff_id: int,
    switch: str,
    extension: str,
    args: Mapping[str, Any],
    *,
    by: int | None,
    at: datetime,
    key: str = "",
    about: About = About(),
) -> PhoneOrder:
    """The order is a row that a switch's process takes; a key that is known already gives back its order."""
    key = key or rules.new_key()
    if not rules.KEY.match(key):
        raise Invalid(_("The request could not be told from another one. Load the page again."))
    row = {
        "request_key": key, "kind": kind, "switch": switch, "extension": extension, "args": dict(args), "staff_id": staff_id, "by_id": by,
        "party_id": about.party_id, "contact_id": about.contact_id, "about_kind": about.kind, "about_id": about.id, "requested_at": at,
        "branch_id": people.branch_of(session, staff_id),
    }
    made = session.execute(insert(PhoneOrder).values(row).on_conflict_do_nothing(index_elements=["request_key"]).returning(PhoneOrder.id)).scalar()
    if made is None:
        known = session.scalars(select(PhoneOrder).where(PhoneOrder.request_key == key)).first()
        if known is None or known.by_id != by:
            raise Invalid(_("The request could not be told from another one. Load the page again."))
        return known
    order = session.get_one(PhoneOrder, made)
    if kind in OWN_CHANNEL:
        order.channel_id = rules.channel_id(order.id, at)
        session.flush()
    return order


def _seat(session: Session, staff_id: int, at: datetime) -> tuple[str, str]:
    seat = people.extension_of(session, staff_id, at)
    if seat is None:
        raise NoSeat(_("You sit at no phone. Take a seat at the top right, then try again."))
    return seat


# ---- the switch's process


def take(session: Session, switch: str, *, at: datetime, act: bool) -> list[TakenOrder]:
    """The orders that nobody has sent yet, each given out once; those that make no sense any more have failed."""
    waiting = select(PhoneOrder).where(PhoneOrder.switch == switch, PhoneOrder.state == "requested", PhoneOrder.taken_at.is_(None))
    rows = session.scalars(waiting.order_by(PhoneOrder.id).limit(20).with_for_update(skip_locked=True)).all()
    taken = []
    for row in rows:
        row.taken_at = at
        error = _late(session, row, at, act=act)
        if error:
            _settle(session, row, OrderOutcome(row.id, "failed", error), at)
        else:
            interface = _interface(session, row) if row.kind in rules.OF_QUEUES else None
            taken.append(TakenOrder(row.id, row.kind, row.extension, dict(row.args), row.channel_id, interface))
    return taken


def _late(session: Session, row: PhoneOrder, at: datetime, *, act: bool) -> str:
    """Why the order is not sent; empty when it is."""
    if not act:
        return "no-actor"
    if at - row.requested_at > rules.fresh(row.kind):
        return "too-late"
    if row.kind not in (*rules.OF_QUEUES, "record_resume") and people.extension_of(session, row.staff_id, at) != (row.switch, row.extension):
        return "seat-changed"
    return ""


def _interface(session: Session, row: PhoneOrder) -> str | None:
    """What the queues call that phone, where one of them has it."""
    here = QueueMember.switch == row.switch, QueueMember.extension == row.extension
    return session.scalars(select(QueueMember.interface).where(*here).limit(1)).first()


def settle(session: Session, outcomes: Sequence[OrderOutcome], *, at: datetime) -> None:
    """Each order is as its outcome says, unless it has ended already; whoever asked hears it."""
    rows = {row.id: row for row in session.scalars(select(PhoneOrder).where(PhoneOrder.id.in_([o.order_id for o in outcomes])).with_for_update())}
    for outcome in outcomes:
        row = rows.get(outcome.order_id)
        if row is not None and row.state in OPEN:
            _settle(session, row, outcome, at)


def _settle(session: Session, row: PhoneOrder, outcome: OrderOutcome, at: datetime) -> None:
    row.state, row.error, row.detail = outcome.state, outcome.error, outcome.detail[:200]
    if outcome.state == "accepted":
        row.accepted_at = at
    else:
        row.ended_at = outcome.at or at
    if row.by_id is not None and row.kind not in (*rules.OF_QUEUES, *rules.RECORDING):
        live.publish(session, live.topic_of(row.by_id), "order", told(row), at=at)


def told(row: PhoneOrder) -> dict[str, Any]:
    """What the browser of who asked hears; the number is covered, since they know whom they dialled."""
    return {"order_id": row.id, "key": row.request_key, "kind": row.kind, "state": row.state, "error": row.error, "number": masking.masked_phone(row.args.get("number") or row.args.get("to") or row.args.get("target"))}


def tidy(session: Session, switch: str, *, at: datetime, cut: bool = False) -> int:
    """Orders whose answer cannot come any more are unknown, never sent again; with `cut` the line to the switch was lost."""
    changed = 0
    for row in session.scalars(select(PhoneOrder).where(PhoneOrder.switch == switch, PhoneOrder.state.in_(OPEN)).order_by(PhoneOrder.id)):
        outcome = _given_up(row, at, cut=cut)
        if outcome:
            _settle(session, row, outcome, at)
            changed += 1
    return changed


def _given_up(row: PhoneOrder, at: datetime, *, cut: bool) -> OrderOutcome | None:
    if row.accepted_at is not None:
        late = at - row.accepted_at > rules.patience(row.kind)
        return OrderOutcome(row.id, "unknown", "not-heard") if late else None
    if row.taken_at is None:  # nobody takes orders of this switch at all
        return OrderOutcome(row.id, "failed", "too-late") if at - row.requested_at > 2 * rules.fresh(row.kind) else None
    late = cut or at - row.taken_at > rules.ANSWER
    return OrderOutcome(row.id, "unknown", "cut") if late else None


def last(session: Session, staff_id: int, kinds: Sequence[str]) -> PhoneOrder | None:
    """The newest of these orders for that person."""
    of = select(PhoneOrder).where(PhoneOrder.staff_id == staff_id, PhoneOrder.kind.in_(kinds))
    return session.scalars(of.order_by(PhoneOrder.id.desc()).limit(1)).first()


def link(session: Session, calls: Mapping[tuple[str, str], Call]) -> list[tuple[int, Call]]:
    """Calls that an order began belong to what the order was for; `calls` maps (switch, channel id) to the stored call.

    Returns the missed callers, by id, who were reached by such a call.
    """
    ours = {name: call for name, call in calls.items() if name[1].startswith("ringdesk-")}
    if not ours:
        return []
    reached = []
    named = tuple_(PhoneOrder.switch, PhoneOrder.channel_id).in_(list(ours))
    for order in session.scalars(select(PhoneOrder).where(named)):
        call = ours[order.switch, order.channel_id or ""]
        order.call_id = call.id
        if order.kind in rules.SPYING:
            call.role, call.direction = "supervision", "internal"  # heard after a restart, when the ear knew of no order
        elif order.party_id and call.party_id is None:
            call.party_id, call.contact_id = order.party_id, order.contact_id
        if order.about_kind == "missed_caller" and order.about_id and call.outcome == "answered":
            reached.append((order.about_id, call))
    return reached


def meant(session: Session, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The customers for whom these calls, by switch and channel id, were ordered; no question is asked for others."""
    ours = [name for name in names if name[1].startswith("ringdesk-")]
    if not ours:
        return {}
    named = select(PhoneOrder.switch, PhoneOrder.channel_id, PhoneOrder.party_id).where(tuple_(PhoneOrder.switch, PhoneOrder.channel_id).in_(ours))
    return {(row.switch, row.channel_id or ""): row.party_id for row in session.execute(named) if row.party_id}


def sweep(session: Session, *, at: datetime) -> None:
    """Orders of queues have done their work after a month; the others stay beside their calls."""
    old = PhoneOrder.requested_at < at - timedelta(days=30)
    session.execute(delete(PhoneOrder).where(old, PhoneOrder.kind.in_(rules.OF_QUEUES), PhoneOrder.state.not_in(OPEN)))
    session.execute(update(PhoneOrder).where(old, PhoneOrder.state.in_(OPEN)).values(state="unknown", error="not-heard", ended_at=at))
