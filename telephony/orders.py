"""What the desk asked for is sent to the switch by a user that may act, once, and how it went is told back.

The ear hears on by its own user and its own connection; this one only speaks. An order whose answer was lost in a cut is
unknown, and is never sent again: a phone that rings twice is worse than one that does not ring.
"""

import asyncio
import logging
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.actions import MemberNews, OrderOutcome, PhoneState, TakenOrder
from service.core import clock, db, scope
from service.core.config import SwitchSettings
from telephony import acts, wire
from telephony.acts import Order, Refused
from telephony.event import Event
from telephony.floor import Change, Floor
from telephony.link import Link
from telephony.members import Member, Members
from telephony.phones import Doing, Phones
from telephony.silences import Over, Silences

log = logging.getLogger(__name__)
TICK = 0.2       # how long an order waits at most before it is sent
# How often after-call work is looked at, people without a sign-in are sent home, and who watches the floor is told.
EVERY = {"tend": 1.0, "home": 30.0, "look": 0.6}
SOON = 0.5       # the end of a channel is told within this, after the order that made it has failed
VERIFIED = 1.0   # a recording that is silent says so within this
ANSWER = 8.0     # a switch that has not answered an action by then will not
SLICE = 200      # moves that one transaction writes
WATCHED = 200    # orders that were accepted and of which more may be heard


class Actor:
    """The connection that acts: it frames what comes only to find the answers."""

    def __init__(self, switch: SwitchSettings) -> None:
        self._switch = switch
        self._framer = wire.Framer(0)
        self.cut = False
        self.link = Link(host=switch.host, port=switch.port, username=switch.actor_username, secret=switch.actor_secret, ear=self)

    def on_line(self) -> None:
        """A new connection begins."""
        self._framer = wire.Framer(0)

    def on_data(self, data: bytes) -> None:
        """Answers are settled; what the switch tells of itself is heard elsewhere."""
        for _, frame in self._framer.feed(data):
            if frame.startswith(b"Response:"):
                self.link.protocol.answered(wire.headers(frame)[0])

    def on_up(self) -> None:
        """Orders can be sent."""
        log.info("%s takes orders, from %s", self._switch.name, self._switch.actor_username)

    def on_down(self, reason: str) -> None:
        """Orders that were on the way are unknown."""
        log.warning("%s takes no orders: %s", self._switch.name, reason)
        self.cut = True

    def on_refused(self, why: str) -> None:
        """Orders are refused until the settings are right."""
        log.error("%s refuses the user %s (%s). Correct actor_username or actor_secret of this switch in the settings; until then "
                  "nothing can be dialled or paused.", self._switch.host, self._switch.actor_username, why)

    def on_unreachable(self) -> None:
        """The ear says so already."""


@dataclass
class Batch:
    """What waits to be written, in one transaction; what cannot be is put back in front of what came since."""

    outcomes: list[OrderOutcome] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    phones: list[Doing] = field(default_factory=list)
    busy: frozenset[str] | None = None  # after a snapshot: the phones that do something, and no others do
    cut: bool = False

    def then(self, later: "Batch") -> "Batch":
        """Both, in this order."""
        return Batch(
            self.outcomes + later.outcomes, self.members + later.members, self.phones + later.phones,
            self.busy if later.busy is None else later.busy, self.cut or later.cut,
        )


    def parted(self, most: int) -> "tuple[Batch, Batch]":
        """What one transaction takes, and what comes after it: who was away for long must not keep orders waiting."""
        if len(self.phones) <= most and len(self.members) <= most:
            return self, Batch()
        return (
            Batch(self.outcomes, self.members[:most], self.phones[:most], None, self.cut),
            Batch([], self.members[most:], self.phones[most:], self.busy),
        )


@dataclass(frozen=True)
class Due:
    """What this round looks at besides."""

    tend: bool
    home: bool
    look: bool


class Orders:
    """One switch's orders, and its agents' states: both go through the database, and neither is in the way of hearing."""

    def __init__(self, switch: SwitchSettings, bind: Engine, floor: Floor, *, acw: timedelta) -> None:
        self.switch, self._bind, self._floor, self._acw = switch, bind, floor, acw
        self.actor = Actor(switch) if switch.acts else None
        self.members, self.phones = Members(floor.switch), Phones()
        self._waits = Batch()
        self._silences = Silences()
        self._sent: dict[int, Order] = {}
        self._moved = False  # who watches the floor has not seen everything yet
        self._away = False
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- called by the listener's loop ------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Take an event's word on the queues' members and on orders that are under way."""
        self._waits.members += self.members.hear(event)
        for order in list(self._sent.values()) if event.name in acts.TELLS else ():
            told = acts.outcome(order, event)
            if told is not None and told[0] == acts.SOON:
                asyncio.get_running_loop().call_later(SOON, self._failed_then, order.id, told[1])
            elif told is not None:
                self._over(order.id, *told, at=event.at if order.kind in acts.RECORDING else None)

    def _failed_then(self, order_id: int, error: str) -> None:
        if order_id in self._sent:
            self._over(order_id, "failed", error)

    def changed(self, changes: list[Change], *, live: bool = True) -> None:
        """Calls are not as they were; what that makes the phones do is told, unless it is long over."""
        for change in changes:
            news = self.phones.hear(change)
            self._waits.phones += news if live else []
            self._moved = True

    def resynced(self) -> None:
        """A snapshot was taken: phones that are not in it do nothing."""
        self._waits.phones += self.phones.now()
        self._waits.busy = frozenset(self.phones.busy())
        self._silences.listed = True

    def _over(self, order_id: int, state: str, error: str = "", detail: str = "", at: datetime | None = None) -> None:
        if state != "accepted":
            self._sent.pop(order_id, None)
        self._waits.outcomes.append(OrderOutcome(order_id, state, error, detail, at))  # type: ignore[arg-type]

    # ---- the loop ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send, tell and tend until cancelled; a database that is away is waited for."""
        over = self.actor.link.start() if self.actor else None
        last = dict.fromkeys(("tend", "home", "look"), 0.0)
        try:
            while True:
                await asyncio.sleep(TICK)
                now = time.monotonic()
                due = {name: now - last[name] >= every for name, every in EVERY.items()}
                last |= {name: now for name, is_due in due.items() if is_due}
                await self._round(Due(**due))
        finally:
            for task in self._tasks:
                task.cancel()
            if self.actor is not None:
                self.actor.link.stop()
            if over is not None and over.done() and not over.cancelled():
                over.exception()

    async def _round(self, due: Due) -> None:
        batch, self._waits = self._waits.parted(SLICE)
        if self.actor is not None:
            batch.cut, self.actor.cut = batch.cut or self.actor.cut, False
        look, self._moved = due.look and self._moved, self._moved and not due.look
        over = self._silences.over(self._floor.calls)
        try:
            taken, moved = await asyncio.to_thread(self._written, batch, due, look, over)
        except Exception as error:
            self._waits, self._moved = batch.then(self._waits), True
            if not self._away:
                log.warning("Orders of %s wait, the database does not take them: %s", self.switch.name, str(error).partition("\n")[0][:200])
            self._away = True
            return
        self._away, self._moved = False, self._moved or moved
        for order in taken:
            self._send(order)

    def _written(self, batch: Batch, due: Due, look: bool, over: Over) -> tuple[list[TakenOrder], bool]:
        """What was heard is in the database and what waits there is taken; True when an agent's state is another now."""
        at, name = clock.now(), self.switch.name
        with db.begin(scope.ALL, self._bind) as session:
            if batch.outcomes:
                actions.orders.settle(session, batch.outcomes, at=at)
            moved = self._agents(session, batch, at)
            if batch.cut or due.tend:
                actions.orders.tidy(session, name, at=at, cut=batch.cut)
            if due.tend:
                moved |= actions.agents.tend(session, name, at=at, act=self.actor is not None and self._can_send())
            if due.tend or over or any(outcome.at for outcome in batch.outcomes):
                self._silences.open = frozenset(actions.pauses.tend(session, name, left=over.left, gone=over.gone, at=at))
            if due.home:
                actions.agents.send_home(session, at=at)
            if look:
                actions.agents.watched(session, at=at)
            return actions.orders.take(session, name, at=at, act=self.actor is not None) if self._can_send() else [], moved

    def _agents(self, session: Session, batch: Batch, at: datetime) -> bool:
        name, moved = self.switch.name, False
        if batch.members:
            moved |= actions.agents.members_did(session, name, [MemberNews(**asdict(one)) for one in batch.members], at=at)
        if batch.phones:
            told = [PhoneState(one.extension, one.phase, one.at or at, one.customer, one.call_key) for one in batch.phones]
            moved |= actions.agents.phones_did(session, name, told, acw=self._acw)
        if batch.busy is not None:
            moved |= actions.agents.phones_are(session, name, batch.busy, at=at, acw=self._acw)
        return moved

    def _can_send(self) -> bool:
        """Without an actor orders are refused at once; one that is away for a moment may be back in time."""
        return self.actor is None or bool(self.actor.link.authenticated)

    # ---- sending ----------------------------------------------------------------------------------------

    def _send(self, taken: TakenOrder) -> None:
        """The action is on the wire, or the order has failed with the reason."""
        assert self.actor is not None
        phone = f"{self.switch.technology}/{taken.extension}"
        order = Order(taken.id, taken.kind, taken.extension, taken.args, taken.channel_id, taken.interface or phone, self.switch.dial_context)
        try:
            name, fields, leg = acts.action(order, self._floor.calls, phone)
            order = replace(order, leg=leg)
            if order.kind in acts.SPYING and order.channel_id:
                self._floor.listens_in(order.channel_id)
            sent = self.actor.link.protocol.send({"Action": name, "ActionID": order.action_id, **dict(fields)})
        except Refused as refusal:
            if order.kind == "record_resume" and refusal.code == "call-over":  # nothing is silent any more
                return self._over(order.id, "confirmed", at=self._floor.heard_at)
            return self._over(order.id, "failed", refusal.code)
        except wire.WireError as error:
            return self._over(order.id, "failed", "bad-number", str(error))
        except Exception as error:  # the line went down in this moment
            log.warning("The order %d to %s could not be sent: %s", order.id, self.switch.name, error)
            return self._over(order.id, "unknown", "cut")
        while len(self._sent) >= WATCHED:
            self._sent.pop(next(iter(self._sent)))
        self._sent[order.id] = order
        if order.kind in acts.RECORDING:
            asyncio.get_running_loop().call_later(VERIFIED, self._failed_then, order.id, "not-verified")
        task = asyncio.get_running_loop().create_task(self._answer(order, sent))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, order: Order, sent: "asyncio.Future[object]") -> None:
        try:
            answer = await asyncio.wait_for(sent, ANSWER)
        except (TimeoutError, asyncio.CancelledError):
            if order.id in self._sent:
                self._over(order.id, "unknown", "cut")
            return
        message = str(answer.get("message", ""))  # type: ignore[attr-defined]
        state, error = acts.answered(order, bool(answer.success), message)  # type: ignore[attr-defined]
        if order.id in self._sent:  # what follows may have been heard before the answer
            self._over(order.id, state, error, message if error else "")
