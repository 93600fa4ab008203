"""What the registration form sends, before any rule looks at it."""

from flask import request
from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict

from service.core import asked
from service.core.errors import Invalid
from service.tickets.schemas import NewTicket


class TicketForm(BaseModel):
    """One registration as typed; empty fields are None or empty words."""

    model_config = ConfigDict(str_strip_whitespace=True)

    request_key: str = ""
    pop: int | None = None
    call: int | None = None
    party_id: int | None = None
    contact_id: int | None = None
    device_id: int | None = None
    component_id: int | None = None
    chargeable: str = ""
    assignee_id: int | None = None
    phone: str = ""
    serial: str = ""
    subject: str = ""
    description: str = ""
    priority: str = ""
    type: str = "repair"
    draft: str = ""

    def kept_as(self) -> str:
        """The name under which the browser keeps what is typed; one caller's words never reach another's form."""
        about = (("pop", self.pop), ("ticket-call", self.call), ("ticket-party", self.party_id))
        return self.draft or next((f"{kind}-{of}" for kind, of in about if of), "ticket-new")

    def told(self) -> str:
        """The problem in words; a serial that was typed and led to no device stands at its end, so that it is not lost."""
        lost = self.serial and not self.device_id
        return "\n".join(filter(None, (self.description[:4800], _("Serial that was told: %(serial)s", serial=self.serial[:80]) if lost else "")))

    def to_new(self, call: tuple[str, str] | None) -> NewTicket:
        """The request as the tickets' actions take it; without a customer there is none."""
        if not self.party_id:
            raise Invalid(_("Choose the customer first."), {"party_id": _("Choose the customer first.")})
        return NewTicket(
            party_id=self.party_id,
            subject=self.subject,
            priority=self.priority,
            type=self.type,
            description=self.told(),
            contact_id=self.contact_id,
            device_id=self.device_id,
            component_id=self.component_id,
            chargeable=self.chargeable,
            phone=self.phone[:80],
            channel="hotline" if call else "counter",
            assignee_id=self.assignee_id,
            call=call,
            request_key=self.request_key[:64] or None,
        )


def number(name: str) -> int | None:
    """A whole number from the form or the address; anything else counts as absent."""
    return asked.whole(request.values.get(name, "")) or None


def typed() -> TicketForm:
    """The form of this request."""
    numbers = {n: number(n) for n in ("pop", "call", "party_id", "contact_id", "device_id", "component_id", "assignee_id")}
    names = ("request_key", "phone", "serial", "subject", "description", "priority", "type", "chargeable", "draft")
    return TicketForm.model_validate(numbers | {n: request.form[n] for n in names if n in request.form})
