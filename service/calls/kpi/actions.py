"""A new version of the policy; there is no other verb."""

from dataclasses import asdict, replace
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls.kpi import queries, rules
from service.calls.kpi.model import KpiPolicy
from service.core import audit, clock, locks
from service.core.errors import Invalid
from service.core.kpi import Policy


def add(session: Session, policy: Policy, note: str = "", *, by: int, at: datetime) -> int:
    """The policy is in force from its first day on, as a new version; returns its number. Raises Invalid where it says what none may."""
    refuse(policy, at=at)
    locks.hold(session, "kpi_policy", "version")
    known = queries.policies(session)
    version = max((one.version for one in known), default=0) + 1
    said = asdict(replace(policy, version=version))
    session.add(KpiPolicy(**said, note=note.strip()[: rules.NOTE_LENGTH], set_by_id=by, set_at=at))
    told = said | {"valid_from": policy.valid_from.isoformat(), "note": note.strip()[: rules.NOTE_LENGTH]}
    audit.record(session, at=at, by=by, verb="add version", entity="kpi_policy", entity_id=version, new=told)
    session.flush()
    return version


def refuse(policy: Policy, *, at: datetime) -> None:
    """Passes when such a policy may be added at this moment; raises Invalid with a word for each field otherwise."""
    wrong = {name: _("A whole number from %(low)s to %(high)s.", low=low, high=high) for name, (low, high) in rules.out_of_bounds(policy).items()}
    if not rules.known_formula(policy):
        wrong["level_formula"] = _("Choose one of the formulas.")
    if rules.too_early(policy, clock.local(at).date()):
        wrong["valid_from"] = _("A day that has begun keeps the policy it began with. Choose tomorrow or later.")
    if wrong:
        raise Invalid(_("The policy cannot be added like this. Correct the marked fields."), wrong)
