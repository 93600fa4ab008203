"""Sign-in: Flask-Security checks the password, a server-side row says whether the cookie still counts."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import flask_login
from flask import Flask, current_app, flash, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import LoginForm, Security, SQLAlchemySessionUserDatastore
from flask_security.utils import validate_redirect_url
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from wtforms import StringField  # type: ignore[import-untyped]
from wtforms.validators import Length, Optional  # type: ignore[import-untyped]

from service.core import clock, db, identity, scope
from service.core.config import LOCALES, Settings
from service.core.identity import Identity
from service.staff import actions
from service.staff.model import Role, Staff
from service.staff.roles import words as permission_words
from service.staff.security import asked, demands, rules, sessions, setup_web, steps, steps_web
from service.staff.security.record import refused

LONGEST = 1000  # the hash refuses more than 4096 bytes


class SignInForm(LoginForm):
    """Name and password; guessing is counted and slowed."""

    email = None
    remember = None  # a cookie that outlives the sign-out is not to be had
    username = StringField(validators=[Optional(), Length(max=200)])

    def validate(self, **kwargs: Any) -> bool:
        """True when the password fits and nobody was guessing."""
        username, address = _name(self.username.data or ""), request.remote_addr or ""
        try:
            with db.begin(scope.NONE) as work:
                actions.refuse_guessing(work, username, address, at=clock.now())
        except actions.TooManyAttempts as error:
            refused(self._known(username), username, "locked")
            self.form_errors.append(error.message)
            return False
        self.password.data = (self.password.data or "")[:LONGEST]
        if not validate_redirect_url(self.next.data):
            self.next.data = ""  # whoever made that address, the password is not to blame
        self.ifield, self.user = self.username, self._known(username)
        person = self.user
        if super().validate(**kwargs) and person is not None:
            return self._from_here(person, address)
        with db.begin(scope.NONE) as work:
            actions.note_attempt(work, username, address, at=clock.now())
        refused(person, username, "unknown" if person is None else "password" if person.active else "off")
        self._one_sentence()
        return False

    def _from_here(self, person: Staff, address: str) -> bool:
        """True when the person's roles sign in from this address; the refusal names it."""
        with db.begin(scope.NONE) as work:
            allowed = demands.of(work, person.id).addresses
        if rules.admitted(address, allowed):
            return True
        refused(person, person.username, "address")
        self.form_errors.append(_("Your role does not sign in from %(address)s. Use the firm's network, or ask an administrator.", address=address))
        return False

    def _known(self, username: str) -> Staff | None:
        return current_app.extensions["security"].datastore.find_user(username=username)

    def _one_sentence(self) -> None:
        """One answer for a wrong name and a wrong password, so that names cannot be tried out."""
        for field in self:
            field.errors = []
        self.form_errors = [_("Name or password is not right. Check both and try again.")]


class People(SQLAlchemySessionUserDatastore):
    """Whoever is looked up is let go of at once.

    A page that kept this transaction open while it asks on another connection would wait for a migration that waits for it.
    """

    def find_user(self, *args: Any, **kwargs: Any) -> Any:
        """The person, read in a transaction that has ended."""
        found = super().find_user(*args, **kwargs)
        self.db.session.commit()
        return found


def install(app: Flask, settings: Settings) -> None:
    """People sign in at /sign-in and out at /sign-out; `identity.current` knows them."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECURITY_PASSWORD_SALT=settings.secret_key[:32],
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106  an algorithm, not a password
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_PASSWORD_SINGLE_HASH=True,
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/sign-in",
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[{"username": {"mapper": _name}}],
        SECURITY_USERNAME_ENABLE=False,
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_CSRF_PROTECT_MECHANISMS=["session", "basic"],
        SECURITY_FRESHNESS=timedelta(days=-1),  # no second place where a password can be tried
        SECURITY_FLASH_MESSAGES=False,
        SECURITY_CACHE_CONTROL=None,  # its own spelling ("no-store=True") is one that browsers ignore; ours stands
        SECURITY_REDIRECT_BEHAVIOR=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        SESSION_COOKIE_NAME="ringdesk",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=16 * 1024 * 1024,
    )
    people = scoped_session(sessionmaker(class_=db.ScopedSession, expire_on_commit=False, bind=db.bound()))
    store = People(people, Staff, Role)
    Security(app, store, login_form=SignInForm)
    app.jinja_env.globals.update(site=asked.site, in_words=identity.spoken)
    app.teardown_request(lambda error: people.remove())
    flask_login.user_logged_in.connect(_begun, app)
    flask_login.user_logged_out.connect(_ended, app)
    app.before_request(_forget_dead_cookie)
    app.before_request(_forget_broken_place)
    app.before_request(setup_web.lead_there)
    app.before_request(steps_web.lead_on)


def wire() -> None:
    """`identity.current` is answered from the server-side sign-in, and refusals name permissions as the page of roles does."""
    identity.provide(current)
    identity.speak(lambda permission: permission_words.spoken([permission])[0])


def _name(typed: str) -> str:
    return typed.replace("\x00", "").strip().lower()[:200]


def _begun(app: Flask, user: Staff, **extra: Any) -> None:
    """A fresh cookie for a fresh sign-in, or for the next step to it; an id planted before it counts for nothing."""
    factor, at, before = bool(g.pop("proved_factor", False)), clock.now(), session.pop("step", None)
    with db.begin(scope.ALL) as work:
        if before:
            steps.end(work, str(before))
        awaits = steps.next_of(work, work.get_one(Staff, user.id), factor=factor, at=at)
        if awaits:
            session["step"] = steps.begin(work, user.id, awaits, factor=factor, at=at)
        else:
            _opened(work, user, at)
    if awaits:
        for name in ("_user_id", "_fresh", "_id"):  # nobody is signed in yet
            session.pop(name, None)
    session.permanent = True
    # Whoever planted the cookie before the sign-in knows its token; the signed-in person gets another.
    session.pop("csrf_token", None)
    for stale in ("person", "csrf_token", "waiting"):
        g.pop(stale, None)


def _opened(work: Session, user: Staff, at: datetime) -> None:
    session["sid"] = actions.begin_session(work, user.id, at=at, address=request.remote_addr or "", browser=str(request.user_agent))
    chosen = session.pop("locale", None)
    if chosen in LOCALES:  # a moment ago, on the page of this sign-in
        actions.choose_locale(work, user.id, chosen)


def _ended(app: Flask, user: Any, **extra: Any) -> None:
    sid = session.pop("sid", None)
    if sid:
        with db.begin(scope.NONE) as work:
            actions.end_session(work, sid, at=clock.now())
    g.pop("person", None)


def current() -> Identity | None:
    """Who asks, read once a request from the row behind the cookie."""
    if "person" not in g:
        g.person = _read()
    return g.person


def _read() -> Identity | None:
    sid = session.get("sid")
    if not sid:
        return None
    return sessions.admitted(str(sid), request.remote_addr or "", at=clock.now(), on=clock.local(clock.now()).date())


def _forget_broken_place() -> ResponseReturnValue | None:
    """Whoever is to be led to an address that cannot be read, such as http://[, starts at the sign-in."""
    if request.path != current_app.config["SECURITY_LOGIN_URL"]:
        return None
    try:
        for place in request.values.getlist("next"):
            urlsplit(place)
    except ValueError:
        return redirect(current_app.config["SECURITY_LOGIN_URL"])
    return None


_LACKS = {
    "address": lambda: _("Your role does not sign in from %(address)s. Use the firm's network, or ask an administrator.", address=request.remote_addr or ""),
    "factor": lambda: _("Your role demands a second factor now. Sign in again and set yours up."),
}


def _forget_dead_cookie() -> None:
    """A cookie whose sign-in has ended is as good as none."""
    if request.path.startswith("/static/"):
        return
    if session.get("_user_id") and current() is None:
        why = sessions.lacking(str(session.get("sid", "")), request.remote_addr or "")
        session.clear()
        if why:
            flash(_LACKS[why]())
        g.pop("_login_user", None)
        g.pop("person", None)
