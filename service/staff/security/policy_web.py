"""What the firm demands at the door, whose name is locked, and what an administrator ends for somebody else."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from service.core import asked, clock, db, identity
from service.core.editing import Stale, differing
from service.core.errors import DeskError, Invalid
from service.staff import edits
from service.staff.security import policy, second_factor, sessions
from service.staff.security.rules import Policy

bp = Blueprint("security_policy", __name__)
HERE = "/settings/security"
NAMES = {
    "name": _l("Name of the firm"),
    "password_days": _l("Passwords last (days)"),
    "lock_after": _l("Locked after (attempts)"),
    "lock_minutes": _l("Locked for (minutes)"),
}
NUMBERS = ("password_days", "lock_after", "lock_minutes", "version")


@bp.get(HERE)
def index() -> ResponseReturnValue:
    """The firm's rules, each role's, and the locked names."""
    identity.require_everywhere("staff.admin")
    return _page()


@bp.post(HERE)
def change() -> ResponseReturnValue:
    """The firm's rules are as the form says."""
    me, typed = identity.require_everywhere("staff.admin"), _typed()
    try:
        with db.begin(me.scope) as session:
            policy.change(session, typed, by=me.staff_id, at=clock.now())
    except (Invalid, Stale) as error:
        return _page(error, typed, "firm")
    flash(_("Saved."))
    return redirect(HERE)


@bp.post(f"{HERE}/roles/<int:role_id>")
def change_role(role_id: int) -> ResponseReturnValue:
    """The role signs in as the form says."""
    me, form = identity.require_everywhere("staff.admin"), request.form
    second, addresses = form.get("second_factor") == "1", form.get("addresses", "")[:4000]
    try:
        with db.begin(me.scope) as session:
            policy.change_role(session, role_id, second=second, addresses=addresses, by=me.staff_id, address=request.remote_addr or "", at=clock.now(), seen=_seen())
    except (Invalid, edits.Overtaken) as error:
        return _page(error, wrong_at=f"role-{role_id}", role_typed=(second, addresses))
    flash(_("Saved."))
    return redirect(f"{HERE}#roles")


@bp.post(f"{HERE}/unlock/<int:staff_id>")
def unlock(staff_id: int) -> ResponseReturnValue:
    """The person may try again at once."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        policy.known(session, staff_id, by=me.staff_id, within=me.scope)
        policy.unlock(session, staff_id, by=me.staff_id, at=clock.now())
    flash(_("Unlocked."))
    return redirect(HERE)


@bp.post("/settings/people/<int:staff_id>/sign-out")
def sign_out(staff_id: int) -> ResponseReturnValue:
    """Every browser of the person is signed out."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        policy.known(session, staff_id, by=me.staff_id, within=me.scope)
        count = sessions.end_all(session, staff_id, by=me.staff_id, at=clock.now())
    flash(_("Signed out everywhere; %(count)s sign-ins were open.", count=count))
    return redirect(f"/settings/people/{staff_id}")


@bp.post("/settings/people/<int:staff_id>/second-factor")
def reset(staff_id: int) -> ResponseReturnValue:
    """The person has no second factor and is signed out everywhere; where their role demands one, they set it up anew."""
    me, now = identity.require("staff.admin"), clock.now()
    with db.begin(me.scope) as session:
        policy.known(session, staff_id, by=me.staff_id, within=me.scope)
        second_factor.reset(session, staff_id, by=me.staff_id, at=now)
        sessions.end_all(session, staff_id, by=me.staff_id, at=now, but=me.session_id if staff_id == me.staff_id else "")
    flash(_("The second factor is gone. The next sign-in asks for the password alone, and for a new app where the role demands one."))
    return redirect(f"/settings/people/{staff_id}")


def _typed() -> Policy:
    """The form as it was typed; what is no number is one that no rule allows."""
    form = request.form
    typed = {name: asked.whole(form.get(name, ""), 8) for name in NUMBERS}
    numbers = {name: -1 if value is None else value for name, value in typed.items()}
    return Policy(name=form.get("name", "").strip(), **numbers)


def _seen() -> tuple[bool, str] | None:
    """What stood in the role's form when it was opened."""
    form = request.form
    return (form["was_second"] == "1", form["was_addresses"]) if {"was_second", "was_addresses"} <= set(form) else None


def _page(
    error: DeskError | None = None, typed: Policy | None = None, wrong_at: str = "", role_typed: tuple[bool, str] | None = None
) -> ResponseReturnValue:
    me = identity.require_everywhere("staff.admin")
    with db.begin(me.scope) as session:
        now, roles, locked = policy.of(session), policy.roles(session), policy.locked(session, at=clock.now())
    page = render_template(
        "security/policy.html",
        policy=typed or now,
        version=now.version,
        error=error,
        differs=differing(vars(now), vars(typed), NAMES) if isinstance(error, Stale) and typed else [],
        roles=roles,
        locked=locked,
        fields=error.fields if isinstance(error, Invalid) else {},
        refusal=error.message if error else "",
        wrong_at=wrong_at,
        role_typed=role_typed,
        address=request.remote_addr,
    )
    return page, error.status if error else 200
