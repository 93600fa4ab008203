"""Dash inside the one Flask app: the same sign-in, the same CSRF check, the same shell around it."""

import tempfile
from typing import Any

from dash import ALL, Dash, Input, Output, State, callback_context, dcc, html
from dash.exceptions import DependencyException, PreventUpdate
from flask import Flask, Response, abort, render_template, request, send_file
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from dashboards import excel, parts
from dashboards.pages import calls, sla, staffing
from dashboards.state import State as Board
from dashboards.state import day_of, parse
from service.core import identity
from service.core.config import Settings
from service.core.errors import DeskError
from service.core.scope import Scope
from warehouse.read import Archive, Generation

ROOT = "/dashboards/"
BOARDS = {"calls": ("board.calls", calls.page), "sla": ("board.sla", sla.page), "staffing": ("board.calls", staffing.page)}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Boards(Dash):
    """Dash whose page is a template of the desk."""

    def interpolate_index(self, **given: Any) -> str:  # type: ignore[override]
        """The shell with Dash's own scripts at its end."""
        pieces = {name: Markup(given[name]) for name in ("config", "scripts", "renderer", "app_entry")}  # noqa: S704
        return render_template("boards.html", **pieces)


def mount(app: Flask, settings: Settings) -> None:
    """Boards answer under /dashboards/, workbooks under /dashboards/export/."""
    archive = Archive(settings.warehouse_dir)
    app.before_request(_gate)
    app.add_url_rule("/dashboards/export/<board>.xlsx", "boards_export", lambda board: _export(archive, board))
    boards = Boards(
        __name__,
        server=app,  # type: ignore[arg-type]
        url_base_pathname=ROOT,
        suppress_callback_exceptions=True,
        update_title=None,  # type: ignore[arg-type]
        title="Ringdesk",
        assets_folder="assets",
        serve_locally=True,
    )
    boards.layout = html.Div([dcc.Location(id="url", refresh="callback-nav"), html.Div(id="board", className="board")])
    _wire(boards, archive)
    app.register_error_handler(DependencyException, lambda _error: app.handle_http_exception(NotFound()))
    policy = _policy(boards)
    app.after_request(lambda response: _dressed(response, policy))


def _gate() -> None:
    """Nothing under /dashboards is shown before the sign-in or without any board; a script without sign-in hears 401."""
    if not request.path.startswith(ROOT):
        return
    person = identity.current()
    if person is not None:
        if not any(person.may(permission) for permission, _page in BOARDS.values()):
            identity.require(BOARDS["calls"][0])
        return
    if "/_dash-" in request.path:
        abort(401)
    raise identity.SignInNeeded


def _policy(boards: Dash) -> str:
    """Dash starts with one inline script, known by its hash; plotly writes its styles itself."""
    scripts = " ".join(boards.csp_hashes())
    return (
        f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


def _dressed(response: Response, policy: str) -> Response:
    """Pages of the boards carry their policy and the token that Dash sends back with each question."""
    if request.path.startswith(ROOT) and response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = policy
        response.set_cookie("_csrf_token", generate_csrf(), samesite="Lax", secure=request.is_secure)
    return response


def _wire(boards: Dash, archive: Archive) -> None:
    @boards.callback(Output("board", "children"), Input("url", "pathname"), Input("url", "search"))
    def drawn(path: str, search: str) -> Any:
        return _page(archive, _board(path), search or "")

    @boards.callback(
        Output("url", "search", allow_duplicate=True),
        Input({"type": "chart", "name": ALL}, "clickData"),
        prevent_initial_call=True,
    )
    def clicked(points: list[Any]) -> str:
        return _led(callback_context.triggered)

    @boards.callback(
        Output("url", "search"),
        Input("day-from", "value"),
        Input("day-to", "value"),
        State("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def dated(start: str, end: str, path: str, search: str) -> str:
        return _spanned(archive, _board(path), search or "", start, end)

    @boards.callback(
        Output("url", "search", allow_duplicate=True),
        Input({"type": "what", "name": ALL}, "value"),
        State({"type": "what", "name": ALL}, "id"),
        State("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def supposed(values: list[Any], names: list[dict[str, str]], path: str, search: str) -> str:
        given = {name["name"]: str(value or "") for name, value in zip(names, values, strict=True)}
        return _supposed(archive, _board(path), search or "", given, identity.require().scope)


def _board(path: str) -> str:
    name = (path or "").rstrip("/").rsplit("/", 1)[-1]
    return name if name in BOARDS else "calls"


def _state(generation: Generation, board: str, search: str) -> Board:
    width, _dot, theme = request.cookies.get("view", "").partition(".")
    wide = int(width) if width.isascii() and width.isdigit() and len(width) < 6 else 1440
    return parse(board, search, generation.run, width=wide, dark=theme == "dark")


def _page(archive: Archive, board: str, search: str) -> Any:
    permission, page = BOARDS[board]
    try:
        person, generation = identity.require(permission), archive.generation()
        return page(_state(generation, board, search), generation, person)
    except DeskError as error:
        return parts.problem(error.message, "")


def _led(triggered: list[dict[str, Any]]) -> str:
    """Where the clicked point leads; the address is the state."""
    value = triggered[0]["value"] if triggered else None
    point = (value or {}).get("points", [{}])[0]
    address = point.get("customdata")
    if not isinstance(address, str) or not address.startswith(ROOT):
        raise PreventUpdate
    return "?" + address.partition("?")[2]


def _spanned(archive: Archive, board: str, search: str, start: str, end: str) -> str:
    """The address with these two days; days that are shown already change nothing."""
    state = _state(archive.generation(), board, search)
    first, last = day_of(start), day_of(end)
    if not first or not last or (first, last) == (state.period.start, state.period.end):
        raise PreventUpdate
    return "?" + state.href(**{"from": first.isoformat(), "to": last.isoformat(), "p": None}).partition("?")[2]


def _supposed(archive: Archive, board: str, search: str, fields: dict[str, str], seen: Scope) -> str:
    """The address with what stands in these fields; an emptied field goes back to what the rules say, and no change is no address."""
    generation = archive.generation()
    state = _state(generation, board, search)
    supposed = staffing.planned(generation.view(seen), state, generation)
    shown = {name: staffing.typed(state, supposed, name) for name in fields}
    changed = {name: text or None for name, text in fields.items() if text != shown[name]}
    if not changed:
        raise PreventUpdate
    return "?" + state.href(**changed).partition("?")[2]


def _export(archive: Archive, board: str) -> Response:
    """The workbook of exactly the state in the address."""
    if board not in BOARDS:
        abort(404)
    person, generation = identity.require(BOARDS[board][0], "export"), archive.generation()
    state = _state(generation, board, request.query_string.decode("utf-8", "replace"))
    file = tempfile.SpooledTemporaryFile(1 << 20)  # noqa: SIM115 - the answer closes it
    excel.workbook(file, state, generation, person)
    file.seek(0)
    title = {"calls": _("Calls"), "sla": "SLA", "staffing": _("Staffing")}[board]
    name = f"{title} {state.period.start} {state.period.end}.xlsx"
    return send_file(file, XLSX, as_attachment=True, download_name=name)
