"""What every script keeps: what is true of its call so far, and an order that may have come in."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime

from telephony.simulator.frames import NAME_BYTES, UNKNOWN, UP, Channel
from telephony.simulator.plan import Plan
from telephony.simulator.switch import Switch
from telephony.simulator.truth import Truth

Script = Generator[float, None, None]


@dataclass(frozen=True)
class Order:
    """Somebody decided what happens to a call that is under way."""

    verb: str                          # answer | hangup | transfer
    extension: str = ""                # who answers; agent for who hangs up; where the call is passed on to


class Book:
    """One call being played: its plan, what is true of it so far, and an order that may have come in."""

    def __init__(self, switch: Switch, plan: Plan) -> None:
        self.switch, self.plan = switch, plan
        self.truth: Truth | None = None
        self.order: Order | None = None
        self.recording: tuple[str, float | None] | None = None     # name, and when both began to be heard
        self.heard_seconds = 0.0

    def _hung_up(self) -> bool:
        return self.order is not None and self.order.verb == "hangup"

    @property
    def _truth(self) -> Truth:
        assert self.truth is not None
        return self.truth

    def _begin(self, first: Channel, direction: str, called: str) -> Truth:
        inside = direction != "inbound"
        caller = self.plan.caller
        number = self.plan.extension if inside else (None if first.number == UNKNOWN else first.number)
        name = self.switch.scenario.agent(self.plan.extension).name if inside else as_heard(caller.name)
        self.truth = Truth(first.linkedid, direction, number, name, called, started_at=self.switch.at)
        return self.truth

    def _rung(self, leg: Channel) -> None:
        extension = phone_of(leg)
        if extension not in self._truth.agents_rung:
            self._truth.agents_rung.append(extension)

    def _record(self, channel: Channel) -> None:
        if not self.plan.recorded:
            return
        day = datetime.fromtimestamp(self.switch.at, UTC)
        name = f"{self.switch.scenario.pbx}/{day:%Y/%m/%d}/{channel.uniqueid}.1.wav"
        self.switch.records(channel, name, 1)
        self._truth.recording, self._truth.recorded = name, True

    def _leg_ends(self, leg: Channel, cause: int) -> None:
        self.switch.hangup(leg, cause)
        if leg.device != "PJSIP/trunk":
            self.switch.phone_is(phone_of(leg), 1)

    def _ends(self, first: Channel, cause: int, disposition: str, hangup_by: str | None) -> None:
        truth = self._truth
        truth.disposition, truth.hangup_by = disposition, hangup_by
        if disposition == "answered":
            answering = first.legs[-1] if truth.direction == "outbound" else self._answering(first)
            truth.answered_by = "customer" if truth.direction == "outbound" else phone_of(answering)
        self.switch.hangup(first, cause)
        self.switch.device("PJSIP/trunk" if truth.direction == "inbound" else first.device, "NOT_INUSE")
        truth.ended_at = self.switch.at
        truth.total_seconds = self.switch.at - truth.started_at

    def _answering(self, first: Channel) -> Channel:
        return next(leg for leg in first.legs if leg.state == UP)


def phone_of(leg: Channel) -> str:
    return leg.device.removeprefix("PJSIP/")


def as_heard(name: str | None) -> str | None:
    """The name a listener should end with: cut as the switch cuts it, GBK bytes read as Chinese, one line."""
    if name is None:
        return None
    raw = name.encode("utf-8", "surrogateescape")[:NAME_BYTES]
    try:
        heard = raw.decode("utf-8")
    except UnicodeDecodeError:
        gbk = any("\udc80" <= letter <= "\udcff" for letter in name)
        heard = raw.decode("gb18030") if gbk else raw.decode("utf-8", "ignore")
    return "".join(letter if letter.isprintable() else " " for letter in heard)
