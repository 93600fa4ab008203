"""The newest calls of the made-up past can be listened to: their sound lies where a switch would have left it."""

import os

from sqlalchemy import select

from service.calls.model import Call
from service.core import db, scope
from service.core.config import SwitchSettings
from telephony.simulator.audio import write_wav

NEWEST = 20


def record(switch: SwitchSettings) -> None:
    """Each of the newest answered calls has its file; the shelf collects them as it does any other."""
    assert switch.recordings is not None
    with db.begin(scope.ALL) as session:
        newest = select(Call).where(Call.answered_at.is_not(None), Call.talk_seconds < 300).order_by(Call.started_at.desc())
        calls = [(call.call_key, call.started_at, call.talk_seconds) for call in session.scalars(newest.limit(NEWEST))]
    for key, at, seconds in calls:
        if at is not None and seconds is not None:
            path = switch.recordings / switch.name / f"{at:%Y/%m/%d}" / f"{key}.1.wav"
            write_wav(path, float(seconds), key)
            ended = at.timestamp() + float(seconds)
            os.utime(path, (ended, ended))
