"""The doctor: is a switch set up so that no call is lost, none told wrongly, and no caller heard by who should not?

`visit` asks the switch with the listener's own rights, `evidence` reads what the journal holds, `conf` reads the switch's
files where they are mounted; `examine` compares all that with what Ringdesk needs. It finds codes, values and the lines to
change; the words belong to the desk.
"""

from collections.abc import Iterator

from telephony.doctor import door, events, names, places, records
from telephony.doctor.facts import Facts
from telephony.doctor.finding import Finding

CHECKS = (
    door.reach,
    door.login,
    door.version,
    door.rights,
    door.actor,
    door.twice,
    door.clock,
    door.system_name,
    events.classes,
    events.hidden,
    events.flood,
    events.stamps,
    events.write_timeout,
    records.cel,
    records.cdr,
    records.queue_log,
    names.trunks,
    names.queues,
    names.seats,
    names.recording,
    names.withheld,
    names.forged,
    places.recordings,
    places.vault,
    places.journal,
)


def examine(facts: Facts) -> list[Finding]:
    """Everything that can be said of one switch, in the order in which one would look."""

    def found() -> Iterator[Finding]:
        for check in CHECKS:
            yield from check(facts)

    return list(found())
