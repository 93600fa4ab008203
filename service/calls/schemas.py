"""What the ear tells the desk: frozen facts, times in aware UTC, seconds exact."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True)
class Ring:
    """One phone and one call; `call_key` is the smallest channel id of the call at that moment."""

    switch: str
    call_key: str
    extension: str = ""
    caller_number: str | None = None
    caller_name: str | None = None
    called: str | None = None
    queue: str | None = None
    direction: str = "inbound"


@dataclass(frozen=True)
class PhoneNews:
    """What a phone does: rings, answered, stopped, left (the call goes on elsewhere); or its call: ended, at no phone in particular."""

    kind: Literal["rings", "answered", "stopped", "left", "ended"]
    ring: Ring
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class LegFacts:
    """One attempt to reach somebody; outcome: answered, no-answer, elsewhere, busy, rejected, cancelled."""

    no: int
    channel: str
    extension: str | None
    member: str | None
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class SegmentFacts:
    """Where the customer was: kind is one of `call_segment`'s; seconds are exact, None while it lasts."""

    kind: str
    extension: str | None
    began_at: datetime | None
    ended_at: datetime | None
    seconds: Decimal | None


@dataclass(frozen=True)
class TransferFacts:
    """Who passed the customer on, how (blind, attended, park), to which number, and whether it was taken there."""

    how: str
    extension: str | None
    target: str | None
    answered: bool
    at: datetime | None


@dataclass(frozen=True)
class CallFacts:
    """One call as far as it is known; `revision` is the journal position and never goes back.

    `provenance` says how: live (heard), repaired (concluded from a snapshot), or backfilled (from the switch's own files,
    with a digest of everything in `derivation`). `proven` says of the last that those files tell all of it.
    """

    switch: str
    call_key: str
    aliases: tuple[str, ...]
    direction: str
    caller_number: str | None
    caller_name: str | None
    called: str | None
    queue: str | None
    agent: str | None
    answered_by: str | None
    disposition: str | None
    hangup_by: str | None
    started_at: datetime | None
    queued_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    wait_seconds: Decimal | None
    talk_seconds: Decimal | None
    total_seconds: Decimal | None
    recorded: bool | None
    recording_name: str | None
    legs: tuple[LegFacts, ...]
    live: bool
    provenance: str
    end_certain: bool
    revision: int
    hold_seconds: Decimal | None = None
    final_agent: str | None = None
    role: str | None = None
    mailbox: str | None = None
    conference: str | None = None
    segments: tuple[SegmentFacts, ...] = ()
    transfers: tuple[TransferFacts, ...] = ()
    derivation: str | None = None
    proven: bool = field(default=False, repr=False)  # no part of what the digest is of
    consent: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Hold:
    """A hold that was heard: under which names its call is known, by which extension, from when to when."""

    names: frozenset[str]
    extension: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Place:
    """How far a file has been read: everything written before `low_at` lies before `offset`."""

    path: str
    inode: int
    offset: int
    known: int
    head: str
    low_at: datetime


@dataclass(frozen=True)
class Heard:
    """How a listener stands: whether it is connected and since when, when it last heard anything, and how much."""

    up: bool
    since: datetime | None
    heard_at: datetime | None
    frames: int
    doubted: int
    calls: int


@dataclass(frozen=True)
class Doubted:
    """A frame that was not believed: why, its bytes as plain signs, and whether a caller has forged it."""

    reason: str
    frame: str
    forged: bool


@dataclass(frozen=True)
class Checkpoint:
    """The store has followed the journal to (segment, offset); a restart re-reads from the low mark."""

    switch: str
    segment: str
    offset: int
    low_segment: str
    low_offset: int


@dataclass(frozen=True)
class PhoneState:
    """What one phone of ours does: idle, ringing, talking or hold; `customer` when the other side is none of us."""

    extension: str
    phase: str
    at: datetime
    customer: bool = False
    call_key: str | None = None


@dataclass(frozen=True)
class MemberNews:
    """One phone in one queue, as the switch last told it; status is the device's number, `gone` when it has left."""

    queue: str
    interface: str
    extension: str
    status: int = 0
    paused: bool = False
    reason: str = ""
    dynamic: bool = False
    gone: bool = False


@dataclass(frozen=True)
class TakenOrder:
    """An order that was given out to be sent, once."""

    id: int
    kind: str
    extension: str
    args: Mapping[str, Any]
    channel_id: str | None = None
    interface: str | None = None


@dataclass(frozen=True)
class OrderOutcome:
    """How far an order is: accepted, confirmed, failed or unknown; `error` is a code of ours, `detail` the switch's words.

    `at` is the switch's own moment, where an order's end has one that matters.
    """

    order_id: int
    state: Literal["accepted", "confirmed", "failed", "unknown"]
    error: str = ""
    detail: str = ""
    at: datetime | None = None
