"""How one call changes when the switch speaks. Pure: same events in, same call out.

A step gets a call in which every channel that the event names has a leg already. It never raises: what is missing
stays unknown. Said twice changes nothing.
"""

from telephony.step import bridges, channels, passing, queues, snapshot
from telephony.step.bridges import over
from telephony.step.table import STEPS

__all__ = ["STEPS", "bridges", "channels", "over", "passing", "queues", "snapshot"]
