"""What the firm calls its queues: a person reads the label, the switch knows the name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls.model import PhoneLine


class Labels(dict[tuple[str, str], str]):
    """(switch, name of the queue) to its label."""

    def of(self, switch: str, queue: str | None) -> str | None:
        """The queue's label; its name at the switch where nobody gave it one."""
        return self.get((switch, queue), queue) if queue else None


def lines(session: Session) -> list[PhoneLine]:
    """Every line and queue in the scope of this transaction, by switch and label."""
    return list(session.scalars(select(PhoneLine).order_by(PhoneLine.switch, PhoneLine.kind.desc(), PhoneLine.label, PhoneLine.name)))


def queue_labels(session: Session) -> Labels:
    """The labels of the queues in the scope of this transaction."""
    rows = session.execute(select(PhoneLine.switch, PhoneLine.name, PhoneLine.label).where(PhoneLine.kind == "queue"))
    return Labels({(switch, name): label for switch, name, label in rows if label})
