"""How each kind of call goes, step by step: a script tells the switch what happens and yields the seconds until more does."""

from telephony.simulator.scripts.book import Order, Script
from telephony.simulator.scripts.outbound import Outbound
from telephony.simulator.scripts.queues import Queued

__all__ = ["Call", "Order", "Script"]


class Call(Queued, Outbound):
    """A call of any kind."""

    def play(self) -> Script:
        """The script of this kind of call."""
        kind = self.plan.kind
        if kind.startswith("direct"):
            return self._direct()
        if kind.startswith("outbound"):
            return self._outbound()
        return self._internal() if kind == "internal" else self._queued()
