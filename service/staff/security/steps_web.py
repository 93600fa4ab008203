"""Pages between the right password and the sign-in: the code, setting an app up, another password; and signing in by passkey."""

from urllib.parse import urlencode

from flask import Blueprint, current_app, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security.utils import login_user

from service.core import audit, clock, db, identity, pages, scope
from service.core.errors import DeskError, Invalid
from service.staff import actions
from service.staff.model import Staff
from service.staff.security import (
    asked,
    demands,
    passkeys,
    passwords,
    policy,
    record,
    rules,
    second_factor,
    sessions,
    steps,
)
from service.staff.security.steps import Waiting

bp = Blueprint("steps", __name__)
PLACES = {"code": "/sign-in/code", "enrol": "/sign-in/enrol", "password": "/sign-in/password"}
OPEN = ("steps.", "staff.locale", "health", "static", "security.static")


def lead_on() -> ResponseReturnValue | None:
    """A browser that waits for a step is led to it from everywhere."""
    if "step" not in session or (request.endpoint or "").startswith(OPEN):
        return None
    waiting = held()
    if waiting is None:
        return None
    if request.method == "GET" and pages.wants_page():
        wanted = {} if request.path == "/sign-in" else {"next": request.full_path.rstrip("?")}
        return redirect(PLACES[waiting.awaits] + ("?" + urlencode(wanted) if wanted else ""))
    raise identity.SignInNeeded


def held() -> Waiting | None:
    """Who waits in this browser; a step that is over is forgotten."""
    if "waiting" not in g:
        g.waiting = _read()
    waiting: Waiting | None = g.waiting
    return waiting


def _read() -> Waiting | None:
    step = session.get("step")
    if not step:
        return None
    with db.begin(scope.NONE) as work:
        found = steps.waiting(work, str(step), at=clock.now())
    if found is None:
        session.pop("step", None)
    else:
        g.locale = session.get("locale") or found.locale  # chosen at this door, or the person's own
    return found


@bp.get("/sign-in/code")
def code() -> ResponseReturnValue:
    """Asks for the code of the app, or a passkey."""
    waiting = _awaited("code")
    return _code_page(waiting) if isinstance(waiting, Waiting) else waiting


@bp.post("/sign-in/code")
def give_code() -> ResponseReturnValue:
    """Signed in when the code is right; a wrong one counts as a refused attempt and locks like a wrong password."""
    waiting = _awaited("code")
    if not isinstance(waiting, Waiting):
        return waiting
    typed, address, now = request.form.get("code", "")[:40], request.remote_addr or "", clock.now()
    try:
        with db.begin(scope.ALL) as work:
            actions.refuse_guessing(work, waiting.username, address, at=now)
            how = second_factor.take(work, waiting.staff_id, typed, at=now)
            used = not how and second_factor.was_used(work, waiting.staff_id, typed, at=now)
    except actions.TooManyAttempts as error:
        _refused(waiting, "locked")
        return _code_page(waiting, error.message, error.status)
    if not how:
        with db.begin(scope.NONE) as work:
            actions.note_attempt(work, waiting.username, address, at=now)
        _refused(waiting, "code")
        wrong = _("This code is wrong. Type the one that the app shows now, or use a recovery code.")
        return _code_page(waiting, _("This code was used already. Wait for the next one, or use a recovery code.") if used else wrong, 422)
    return _on(waiting, factor=True)


def _code_page(waiting: Waiting, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    with db.begin(scope.NONE) as work:
        app, keys = second_factor.has_app(work, waiting.staff_id), passkeys.of(work, waiting.staff_id)
    page = render_template("security/code.html", waiting=waiting, refusal=refusal, app=app, keys=keys, site=asked.site(), next=asked.place())
    return page, status


@bp.get("/sign-in/enrol")
def enrol() -> ResponseReturnValue:
    """Shows the key for the app: the role demands one."""
    waiting = _awaited("enrol")
    return _enrol_page(waiting) if isinstance(waiting, Waiting) else waiting


@bp.post("/sign-in/enrol")
def give_first_code() -> ResponseReturnValue:
    """The app counts and the sign-in goes on; the recovery codes are shown this once."""
    waiting = _awaited("enrol")
    if not isinstance(waiting, Waiting):
        return waiting
    address, now = request.remote_addr or "", clock.now()
    try:
        with db.begin(scope.ALL) as work:
            actions.refuse_guessing(work, waiting.username, address, at=now)
            codes = second_factor.confirm(work, waiting.staff_id, request.form.get("code", "")[:40], at=now)
    except Invalid as error:
        with db.begin(scope.NONE) as work:
            actions.note_attempt(work, waiting.username, address, at=now)
        return _enrol_page(waiting, error.fields["code"], error.status)
    go = asked.place()
    _on(waiting, factor=True)
    return render_template("security/codes.html", codes=codes, go=go)


def _enrol_page(waiting: Waiting, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    with db.begin(scope.NONE) as work:
        key, firm = second_factor.begin(work, waiting.staff_id), policy.of(work).name
    picture = second_factor.picture(key, waiting.username, firm)
    return render_template("security/enrol.html", picture=picture, key=key, refusal=refusal, next=asked.place()), status


@bp.get("/sign-in/password")
def password() -> ResponseReturnValue:
    """Asks for another password."""
    waiting = _awaited("password")
    return render_template("security/renew.html", fields={}, next=asked.place()) if isinstance(waiting, Waiting) else waiting


@bp.post("/sign-in/password")
def give_password() -> ResponseReturnValue:
    """The person has another password, other browsers are signed out, and the sign-in goes on."""
    waiting = _awaited("password")
    if not isinstance(waiting, Waiting):
        return waiting
    now, form = clock.now(), request.form
    try:
        with db.begin(scope.ALL) as work:
            person = work.get_one(Staff, waiting.staff_id, with_for_update=True)
            passwords.choose(work, person, form.get("new", ""), form.get("again", ""), at=now)
            sessions.end_all(work, person.id, by=person.id, at=now)
            audit.record(work, at=now, by=person.id, verb="password given", entity="staff", entity_id=person.id, branch_id=person.branch_id)
    except Invalid as error:
        return render_template("security/renew.html", fields=error.fields, next=asked.place()), error.status
    return _on(waiting, factor=waiting.factor)


@bp.post("/sign-in/leave")
def leave() -> ResponseReturnValue:
    """Another person may sign in here; what waited is forgotten."""
    with db.begin(scope.NONE) as work:
        steps.end(work, str(session.pop("step", "")))
    return redirect("/sign-in")


@bp.post("/sign-in/passkey/options")
def ask_passkey() -> ResponseReturnValue:
    """What a passkey has to sign: one of the person whose password was right, or of anybody."""
    waiting = held()
    with db.begin(scope.NONE) as work:
        challenge, options = passkeys.ask_to_prove(work, waiting.staff_id if waiting else None, asked.site(), at=clock.now())
    return {"challenge": challenge, "options": options}


@bp.post("/sign-in/passkey")
def give_passkey() -> ResponseReturnValue:
    """Signed in by passkey, as second factor or alone; the answer says where to go."""
    waiting, address, now, form = held(), request.remote_addr or "", clock.now(), request.form
    with db.begin(scope.NONE) as work:
        actions.refuse_guessing(work, waiting.username if waiting else "", address, at=now)
    try:
        with db.begin(scope.ALL) as work:
            staff_id = passkeys.proven(
                work, waiting.staff_id if waiting else None, form.get("challenge", ""), form.get("answer", ""), asked.site(), at=now
            )
            person = work.get_one(Staff, staff_id)
            addresses = demands.of(work, staff_id).addresses
    except passkeys.NotProven:
        with db.begin(scope.NONE) as work:
            actions.note_attempt(work, waiting.username if waiting else "", address, at=now)
        record.refused_as(waiting.staff_id if waiting else None, waiting.username if waiting else "", None, "passkey")
        raise
    if not person.active or not rules.admitted(address, addresses):
        record.refused(person, "", "address" if person.active else "off")
        raise DeskError(_("You cannot sign in from here. Use the firm's network, or ask an administrator."))
    go = asked.place()
    _sign_in(staff_id, factor=True)
    return {"go": go}


# ---- inside


def _awaited(step: str) -> Waiting | ResponseReturnValue:
    """Who waits for this very step; everybody else is led to where they belong."""
    waiting = held()
    if waiting is None:
        return redirect("/" if identity.current() else "/sign-in")
    if waiting.awaits != step:
        return redirect(PLACES[waiting.awaits] + "?" + urlencode({"next": asked.place()}))
    return waiting


def _on(waiting: Waiting, *, factor: bool) -> ResponseReturnValue:
    go = asked.place()
    _sign_in(waiting.staff_id, factor=factor)
    return redirect(go)


def _sign_in(staff_id: int, *, factor: bool) -> None:
    person = current_app.extensions["security"].datastore.find_user(id=staff_id)
    g.proved_factor = factor
    login_user(person)


def _refused(waiting: Waiting, why: str) -> None:
    with db.begin(scope.NONE) as work:
        branch_id = work.get_one(Staff, waiting.staff_id).branch_id
    record.refused_as(waiting.staff_id, waiting.username, branch_id, why)
