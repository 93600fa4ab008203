"""What every page shares: language, CSRF, headers, refusals in words, built assets and icons."""

import json
import logging
import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, Response, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, get_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from markupsafe import Markup
from psycopg2 import errors as postgresql
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from service.core import audit, clock, identity
from service.core.config import LOCALES, Settings
from service.core.editing import Stale
from service.core.errors import DeskError, Forbidden, Invalid, NotFound

log = logging.getLogger(__name__)
STATIC = Path(__file__).parents[1] / "static"
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
# Files of the program, the same for everybody; all else is somebody's.
BUILT = ("/static/", "/fs-static/", "/dashboards/_dash-component-suites/", "/dashboards/assets/")
FEATURES = ("geolocation", "camera", "microphone")


def allow(feature: str) -> None:
    """The page of this request, and no other, may ask its reader for their position or camera; a camera reads codes with WebAssembly."""
    g.allowed = feature


def install(app: Flask, settings: Settings) -> None:
    """The app speaks the reader's language, refuses forged posts and explains each refusal."""
    Babel(
        app,
        default_locale=settings.locale,
        default_timezone=str(settings.timezone),
        locale_selector=_locale,
        default_translation_directories=str(Path(__file__).parents[1] / "translations"),
    )
    csrf = CSRFProtect(app)

    @app.before_request
    def guard() -> None:
        if request.method not in SAFE:
            if _from_elsewhere():
                raise CSRFError("sent by a page of another site")
            csrf.protect()
        if any("\x00" in value for value in request.values.values()):
            raise Invalid(_("What was typed contains a sign that cannot be stored. Type it again by hand."))

    app.after_request(_headers)
    app.register_error_handler(identity.SignInNeeded, _sign_in)
    app.register_error_handler(DeskError, _refused)
    app.register_error_handler(StaleDataError, lambda _error: _refused(Stale(_("Somebody else saved this at the same moment. Load the page again and repeat the change."))))
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(IntegrityError, _taken)
    app.register_error_handler(Exception, _unexpected)
    app.jinja_env.globals.update(asset=asset, icon=icon, assets_built=assets_built, language=language)
    app.context_processor(lambda: {"me": identity.current()})


def _from_elsewhere() -> bool:
    """True when the browser says that another site's page sends this; a leaked token would not help that page."""
    told = request.headers.get("Sec-Fetch-Site")
    if told:
        return told not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).hostname != urlsplit(f"//{request.host}").hostname
    except ValueError:
        return True


def _locale() -> str | None:
    person = identity.current()
    chosen = person.locale if person else g.get("locale") or request.cookies.get("locale", "")
    if chosen in LOCALES:
        return chosen
    best = request.accept_languages.best_match(["zh-CN", "zh-Hans", "zh", "en"])
    return {"en": "en"}.get(best or "", "zh_Hans_CN") if best else None


def language() -> str:
    """The language tag of this page: zh-Hans or en."""
    return "en" if str(get_locale()) == "en" else "zh-Hans"


class Named(Protocol):
    """What has a name, and perhaps another in English."""

    name: Any
    name_en: Any


def called(row: Named) -> str:
    """A branch, department or region in the reader's language."""
    return str(row.name_en or row.name if language() == "en" else row.name)


def label(table: str, code: str) -> str:
    """The words of a code, as templates say them."""
    return str(current_app.jinja_env.globals["label"](table, code))  # type: ignore[operator]


def _headers(response: Response) -> Response:
    if allowed := g.get("allowed", ""):
        response.headers["Permissions-Policy"] = ", ".join(f"{one}=({'self' if one == allowed else ''})" for one in FEATURES)
    if allowed == "camera":
        response.headers["Content-Security-Policy"] = CSP.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype == "text/html" or not request.path.startswith(BUILT):
        response.headers["Cache-Control"] = "no-store"  # nobody who sits down here later finds it in the browser
    return response


def wants_page() -> bool:
    """True when a person waits for a whole page, false for fragments, data and downloads by script."""
    if "HX-Request" in request.headers:
        return False
    # A browser that sends a form names HTML; a script that posts takes whatever comes.
    named = "text/html" in request.accept_mimetypes.values()
    return named or (request.method == "GET" and request.accept_mimetypes.accept_html)


def _sign_in(error: identity.SignInNeeded) -> ResponseReturnValue:
    if wants_page() and request.method == "GET":
        return redirect("/sign-in?" + urlencode({"next": request.full_path.rstrip("?")}))
    return _page(401, _("Your sign-in has ended."), _("Sign in again; what you typed is still in this tab."))


def _refused(error: DeskError) -> ResponseReturnValue:
    """The refusal in words; what a signed-in person may not do or see is on record, although their transaction is undone."""
    if isinstance(error, Forbidden | NotFound):
        refused(identity.current(), error, request.path, request.method)
    return _page(error.status, error.message, "", permission=getattr(error, "permission", ""))


def refused(person: identity.Identity | None, error: DeskError, path: str, method: str) -> None:
    """It stands in the system log that this person was not let do this."""
    if person is None:
        return
    told = {"path": f"{method} {path[:200]}"} | ({"permission": error.permission} if isinstance(error, Forbidden) and error.permission else {})
    verb = "forbidden" if isinstance(error, Forbidden) else "not theirs"
    audit.apart(at=clock.now(), by=person.staff_id, verb=verb, entity="page", entity_id=None, new=told, branch_id=person.branch_id, kind="forbidden")


def _forged(error: CSRFError) -> ResponseReturnValue:
    return _page(400, _("This form is too old to be sent."), _("Load the page again and repeat the change."))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code == 404:
        return _page(404, _("There is no such page."), _("Check the address, or start from the desk."))
    return _page(error.code or 500, error.name, error.description or "")


def _taken(error: IntegrityError) -> ResponseReturnValue:
    """A number or name that is there once, perhaps in a branch that the person does not see, is refused in words."""
    if not isinstance(error.orig, postgresql.UniqueViolation):
        return _unexpected(error)
    log.warning("taken already at %s %s: %s", request.method, request.path, error.orig.diag.constraint_name)
    return _page(409, _("This number or name is taken already, perhaps by something in a branch that you do not see."), _("Go back and choose another one."))


def _unexpected(error: Exception) -> ResponseReturnValue:
    """The page shows a number, and the log has the same number."""
    number = secrets.token_hex(4)
    log.error("error %s at %s %s", number, request.method, request.path, exc_info=error)
    if isinstance(error, SQLAlchemyError):
        identity.nobody()
    return _page(500, _("Something went wrong; nothing was changed."), "", number=number)


def _page(status: int, title: str, hint: str, *, number: str = "", permission: str = "") -> ResponseReturnValue:
    if not wants_page() and "HX-Request" not in request.headers:
        return {"title": title, "detail": hint, "number": number}, status
    page = render_template(
        "error.html",
        status=status,
        title=title,
        hint=hint,
        number=number,
        permission=identity.spoken(permission),
        fragment="HX-Request" in request.headers,
    )
    # The script that asked shows the sentence; a header carries no Chinese, so it travels encoded.
    return page, status, {"X-Refusal": quote(" ".join(filter(None, (title, hint))))}


_MANIFEST = str(STATIC / "dist" / "manifest.json")


@lru_cache(4)
def _manifest(stamp: float) -> dict[str, str]:
    return dict(json.loads(Path(_MANIFEST).read_text("utf-8")))


def _stamp() -> float | None:
    """When the assets were built; a page asks a hundred times, so one look at the disk must be enough for each."""
    try:
        return os.stat(_MANIFEST).st_mtime  # noqa: PTH116  a Path is ten times as slow
    except FileNotFoundError:
        return None


def assets_built() -> bool:
    """True once the build hook has run."""
    return _stamp() is not None


def asset(name: str) -> str:
    """The address of a built file by its plain name, such as app.js."""
    stamp = _stamp()
    return f"/static/dist/{name if stamp is None else _manifest(stamp).get(name, name)}"


def icon(name: str, label: str = "") -> Markup:
    """A drawing from the sprite; decorative unless it has a label."""
    return _drawing(asset("icons.svg"), str(name), str(label))


@lru_cache(2048)
def _drawing(sprite: str, name: str, label: str) -> Markup:
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(said, sprite, name)
