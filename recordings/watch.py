"""The collector's rhythm: recent days each second, everything each hour, what is missing each minute."""

import logging
import threading

from recordings.collect import Memory, Report, scan
from service.calls.shelf import actions
from service.core import clock, db, scope
from service.core.config import Settings

log = logging.getLogger(__name__)

BEAT = 1.0  # seconds
EACH_MINUTE, EACH_HOUR, EACH_DAY = 60, 3600, 86_400  # beats


def watch(settings: Settings, stop: threading.Event) -> None:
    """Finished files are collected within seconds until `stop`; trouble is told once and tried again.

    The hourly look opens only days whose folder has changed; once a day even that is not relied on.
    """
    told: set[str] = set()
    memory, beat = Memory(), 0
    while not stop.is_set():
        try:
            if beat % EACH_DAY == 0:
                memory.forget()
            _tell(scan(settings, clock.now(), whole=beat % EACH_HOUR == 0, memory=memory), told)
            if beat % EACH_MINUTE == 0:
                look_for_missing(settings)
        except Exception as error:
            _once(told, f"recordings: nothing can be collected now ({_first(error)}); trying again")
        else:
            beat += 1  # a look that failed is owed: the hourly one is not left out
        stop.wait(BEAT)
    memory.close()


def look_for_missing(settings: Settings) -> None:
    """Calls without their file and files without their call are on the list of findings."""
    switches = [switch.name for switch in settings.switches if switch.collects]
    with db.begin(scope.ALL) as session:
        actions.look_for_missing(session, switches, at=clock.now())


def _tell(report: Report, told: set[str]) -> None:
    if report.alarm:
        _once(told, f"recordings: {report.alarm}")
    else:
        told.difference_update([sentence for sentence in told if "master key" in sentence])
    for shown in report.collected:
        log.info("recordings: %s is in the vault", shown)
    for shown, reason in report.refused.items():
        _once(told, f"recordings: {shown!r} was left where it is: {reason}")


def _once(told: set[str], sentence: str) -> None:
    if sentence not in told:
        told.add(sentence)
        log.warning(sentence)


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
