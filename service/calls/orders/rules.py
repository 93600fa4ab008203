"""Which orders make sense, before any switch hears of them. Pure."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from service.core import phone

EXTEN = re.compile(r"\+?[0-9*#]{1,20}\Z", re.ASCII)
EXTENSION = re.compile(r"[0-9]{1,10}\Z", re.ASCII)
KEY = re.compile(r"[A-Za-z0-9_-]{8,80}\Z", re.ASCII)
QUEUE = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z", re.ASCII)
WRITTEN = re.compile(r"[\s().\u00a0/-]+")
FRESH = timedelta(seconds=10)  # an older order would startle whoever has given up on it
FRESH_SILENCE = timedelta(seconds=3)  # who asks for silence is told in time that there is none
ANSWER = timedelta(seconds=10)  # a switch that has not answered by then will not
# Until when an accepted order may still be confirmed; a consultation lasts as long as people talk.
PATIENCE: Mapping[str, timedelta] = {
    "dial": timedelta(seconds=60),
    "listen": timedelta(seconds=60),
    "whisper": timedelta(seconds=60),
    "barge": timedelta(seconds=60),
    "atxfer": timedelta(minutes=15),
}
SPYING = ("listen", "whisper", "barge")
ON_CALL = ("blind", "atxfer", "atxfer_cancel", "park", "hangup")
RECORDING = ("record_pause", "record_resume")  # asked for and told by pauses, not as orders of somebody
OF_QUEUES = ("pause", "unpause", "queue_add", "queue_remove")


def dialled(raw: str) -> str | None:
    """What is dialled for a number as people write it: E.164 where it is one, else its digits; None when it cannot be."""
    parsed = phone.parse(raw)
    number = parsed.e164 if parsed.e164 and not parsed.extension else WRITTEN.sub("", raw)
    return number if EXTEN.match(number) else None


def target(raw: str) -> str | None:
    """Where a call is passed on to: an extension, a queue's number, or a number outside."""
    plain = WRITTEN.sub("", raw)
    return plain if EXTENSION.match(plain) else dialled(raw)


def channel_id(order_id: int, at: datetime) -> str:
    """The id that the first channel of this order will have, and with it the call: unlike a switch's own, so it comes first."""
    return f"ringdesk-{int(at.timestamp())}-{order_id}"


def shown_name(name: str) -> str:
    """A name that a phone's display may show: nothing that ends a header, an argument or a quotation."""
    kept = "".join(letter for letter in name if letter.isprintable() and letter not in '"<>\\,|^${}();')
    return kept.strip()[:40]


def new_key() -> str:
    """A key that no other order has."""
    return secrets.token_urlsafe(16)


def fresh(kind: str) -> timedelta:
    """How long an order of this kind may wait to be sent."""
    return FRESH_SILENCE if kind == "record_pause" else FRESH


def patience(kind: str) -> timedelta:
    """How long an accepted order of this kind is waited for."""
    return PATIENCE.get(kind, ANSWER)
