"""What a new version of the policy may say. Pure."""

from collections.abc import Mapping
from datetime import date

from service.core.kpi import FORMULAS, Policy

# The same bounds stand in the table.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "within_seconds": (1, 3600),
    "short_seconds": (0, 600),
    "call_target": (1, 100),
    "occupancy_warning": (1, 100),
    "fcr_days": (1, 90),
    "recovery_hours": (1, 720),
}
NOTE_LENGTH = 300


def out_of_bounds(policy: Policy) -> dict[str, tuple[int, int]]:
    """The fields whose numbers no policy may have, with what they may be."""
    return {name: bounds for name, bounds in BOUNDS.items() if not bounds[0] <= getattr(policy, name) <= bounds[1]}


def known_formula(policy: Policy) -> bool:
    """True when the service level has a formula of the list."""
    return policy.level_formula in FORMULAS


def too_early(policy: Policy, today: date) -> bool:
    """True when the version would measure calls anew that have been measured: a day keeps the policy that it began with."""
    return policy.valid_from <= today
