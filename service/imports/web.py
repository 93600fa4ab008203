"""The pages of imports: choose, bring, tell the columns, look at what is wrong, load, and take back."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from service.core import asked, clock, db, identity, masking
from service.core.errors import Forbidden, Invalid
from service.core.identity import Identity
from service.core.intake.files import MOST_BYTES
from service.core.intake.plain import ENCODINGS
from service.core.intake.target import Into, Target
from service.core.intake.unreadable import Unreadable
from service.imports import actions, folder, queries, sheets, targets, words
from service.imports.actions import Brought
from service.imports.model import Batch
from service.staff import queries as staff

bp = Blueprint("imports", __name__)
PAGE = 20
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/settings/imports")
def index() -> ResponseReturnValue:
    """What can be imported, and what has been."""
    identity.require("import")
    return _chooser()


@bp.get("/settings/imports/templates/<name>.xlsx")
def template(name: str) -> ResponseReturnValue:
    """An empty workbook with the headings of the target."""
    _me, target = _allowed(name)
    return _sent(lambda out: sheets.template(target, out), f"ringdesk-{name}.xlsx")


@bp.post("/settings/imports")
def bring() -> ResponseReturnValue:
    """The file lies in the folder and its headings are read; the next page asks which column is what."""
    request.max_content_length = MOST_BYTES + (1 << 20)
    me, target = _allowed(request.form.get("target", ""))
    try:
        sent, branch_id = _file(), _branch(me)
        name = Path((sent.filename or "").replace("\\", "/")).name
        batch_id = _bring(me, Brought(target.name, name, folder.keep(_place(), sent.stream)), branch_id)
    except Unreadable as wrong:
        said = words.unreadable(wrong.code, wrong.facts)
        return _chooser(target.name, Invalid(said, {"file": said}))
    except Invalid as wrong:
        return _chooser(target.name, wrong)
    return redirect(f"/settings/imports/{batch_id}", 303)


@bp.get("/settings/imports/<int:batch_id>")
def show(batch_id: int) -> ResponseReturnValue:
    """The import as it stands: columns to choose, what was found, progress, or the result."""
    return _page(_one(batch_id))


@bp.post("/settings/imports/<int:batch_id>/reading")
def reading(batch_id: int) -> ResponseReturnValue:
    """The file is read from another sheet, in another encoding, or with its headings in another row."""
    one, form = _one(batch_id), request.form
    line = form.get("head_line", "")
    encoding = form.get("encoding", "")
    try:
        with db.begin(one.me.scope) as session:
            batch = actions.batch(session, batch_id, locked=True)
            actions.look_again(
                session, _place(), batch, sheet=form.get("sheet", "")[:100], encoding=encoding if encoding in ENCODINGS else "",
                head_line=asked.whole(line, 6) or 0,
            )
    except Unreadable as wrong:
        return _page(one, Invalid(words.unreadable(wrong.code, wrong.facts)))
    return redirect(f"/settings/imports/{batch_id}", 303)


@bp.post("/settings/imports/<int:batch_id>/check")
def check(batch_id: int) -> ResponseReturnValue:
    """A job checks the rows by the columns that were chosen."""
    one = _one(batch_id)
    chosen = {name.name: asked.whole(request.form.get(f"column-{name.name}", ""), 6) for name in one.target.fields}
    mapping = {name: column for name, column in chosen.items() if column is not None and column < len(one.batch.heads)}
    try:
        with db.begin(one.me.scope) as session:
            actions.check(session, actions.batch(session, batch_id, locked=True), mapping, by=one.me.staff_id, within=one.me.scope, at=clock.now())
    except Invalid as wrong:
        one.batch.mapping = mapping
        return _page(one, wrong)
    return redirect(f"/settings/imports/{batch_id}", 303)


@bp.post("/settings/imports/<int:batch_id>/load")
def load(batch_id: int) -> ResponseReturnValue:
    """A job loads the good rows."""
    return _asked(batch_id, lambda session, batch, me: actions.load(session, batch, request.form.get("upon", ""), by=me.staff_id, within=me.scope, at=clock.now()))


@bp.post("/settings/imports/<int:batch_id>/undo")
def undo(batch_id: int) -> ResponseReturnValue:
    """A job takes the batch back."""
    return _asked(batch_id, lambda session, batch, me: actions.undo(session, batch, by=me.staff_id, within=me.scope, at=clock.now()))


@bp.post("/settings/imports/<int:batch_id>/discard")
def discard(batch_id: int) -> ResponseReturnValue:
    """A batch that loaded nothing is forgotten."""
    one = _one(batch_id)
    with db.begin(one.me.scope) as session:
        actions.discard(session, _place(), actions.batch(session, batch_id, locked=True))
    return redirect("/settings/imports", 303)


@bp.get("/settings/imports/<int:batch_id>/errors.<any(xlsx, csv):kind>")
def errors(batch_id: int, kind: str) -> ResponseReturnValue:
    """All bad rows, each with what is wrong with it, so that they can be mended and brought again."""
    one = _one(batch_id)
    if not _sees_all(one):
        raise Forbidden(_("This file holds whole telephone numbers, which your roles do not show. Ask whoever brought the table to mend it."), masking.PHONE_READ)
    mended = _("to be mended")
    name = f"{Path(one.batch.file_name).stem[:80]}-{mended}.{kind}"
    with db.begin(one.me.scope) as session:
        rows = queries.all_wrong(session, batch_id)
        if kind == "xlsx":
            return _sent(lambda out: sheets.errors_book(one.target, one.batch, rows, out), name)
        text = "".join(sheets.errors_text(one.target, one.batch, rows))
    return _sent(lambda out: out.write(text.encode()), name, "text/csv; charset=utf-8")


@bp.post("/settings/imports/<int:batch_id>/passwords.xlsx")
def passwords(batch_id: int) -> ResponseReturnValue:
    """First passwords of the next people who came by this import; the file is made once and kept nowhere."""
    one, seen = _one(batch_id), asked.whole(request.form.get("waiting", ""), 9)
    with db.begin(one.me.scope) as session:
        actions.batch(session, batch_id, locked=True)
        ids = queries.created(session, batch_id)
        if seen is not None and one.target.issue and seen != one.target.issue.waiting(session, ids):
            raise actions.NotNow(_("Passwords were made since this page was loaded. Look for their file among your downloads, then load the page again for the next ones."))
        into = Into(one.batch.branch_id, one.me.staff_id, clock.now(), one.me.scope.branches)
        given = one.target.issue.give(session, ids, into) if one.target.issue else []
    if not given:
        raise actions.NotNow(_("Everybody of this import has a password already."))
    return _sent(lambda out: sheets.passwords(given, out), f"passwords-{batch_id}.xlsx")


# ---- inside


@dataclass
class One:
    """A batch that the person of this request may see."""

    me: Identity
    target: Target
    batch: Batch


def _allowed(name: str) -> tuple[Identity, Target]:
    """The person may import, and may write what this target writes."""
    identity.require("import")
    me = identity.require("import", targets.of(name).permission)
    with db.begin(me.scope) as session:
        return me, targets.now(session, name)


def _one(batch_id: int) -> One:
    me = identity.require("import")
    with db.begin(me.scope) as session:
        batch = actions.batch(session, batch_id)
    return One(*_allowed(batch.target), batch)


def _sees_all(one: One) -> bool:
    """Whoever brought a table knows what it says; to others its cells are as covered as anything."""
    return one.batch.by_id == one.me.staff_id or masking.reads_phones(one.me)


def _asked(batch_id: int, verb: Callable[[Session, Batch, Identity], None]) -> ResponseReturnValue:
    one = _one(batch_id)
    with db.begin(one.me.scope) as session:
        verb(session, actions.batch(session, batch_id, locked=True), one.me)
    return redirect(f"/settings/imports/{batch_id}", 303)


def _bring(me: Identity, given: Brought, branch_id: int) -> int:
    try:
        with db.begin(me.scope) as session:
            return actions.bring(session, _place(), given, by=me.staff_id, branch_id=branch_id, at=clock.now())
    except BaseException:
        folder.forget(_place(), given.kept.name)
        raise


def _file() -> FileStorage:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid(_("Choose a file first."), {"file": _("Choose a file first.")})
    return sent


def _branch(me: Identity) -> int:
    branch_id = asked.whole(request.form.get("branch_id", ""), 9) or me.place
    with db.begin(me.scope) as session:
        known = branch_id in staff.branches(session)
    if not known or not me.scope.covers(branch_id):
        raise Invalid(_("Choose a branch within your reach."), {"branch_id": _("Choose a branch within your reach.")})
    return branch_id


def _place() -> Path:
    return Path(current_app.config["RINGDESK"].imports_dir)


def _kinds(me: Identity) -> list[Target]:
    return [target for target in targets.TARGETS.values() if me.may(target.permission)]


def _chooser(chosen: str = "", wrong: Invalid | None = None) -> ResponseReturnValue:
    me = identity.require("import")
    kinds = _kinds(me)
    with db.begin(me.scope) as session:
        rows = queries.batches(session, [target.name for target in kinds], before=asked.number("before"), limit=PAGE + 1)
        branches = {id_: branch for id_, branch in staff.branches(session).items() if me.scope.covers(id_)}
        people = staff.names(session, {row.by_id for row in rows})
    chosen = chosen or request.args.get("target", "")
    more = f"/settings/imports?before={rows[PAGE - 1].id}" if len(rows) > PAGE else ""
    page = render_template(
        "imports/index.html", kinds=kinds, chosen=chosen if any(one.name == chosen for one in kinds) else kinds[0].name if kinds else "", rows=rows[:PAGE],
        branches=branches, people=people, more=more, targets=targets.TARGETS, states=words.STATE, most=MOST_BYTES >> 20,
        fields=wrong.fields if wrong else {}, refusal=wrong.message if wrong else "",
    )
    return (page, wrong.status, _refusal(wrong)) if wrong else page


def _refusal(wrong: Invalid) -> dict[str, str]:
    """The sentence for a script that sent the form."""
    from urllib.parse import quote

    return {"X-Refusal": quote(wrong.message)}


def _page(one: One, wrong: Invalid | None = None) -> ResponseReturnValue:
    batch, target = one.batch, one.target
    with db.begin(one.me.scope) as session:
        bad = queries.wrong_rows(session, batch.id) if batch.state not in ("uploaded", "checking") else []
        links = queries.links(session, batch.id) if batch.state == "loaded" else []
        before = queries.loaded_before(session, batch) if batch.state in ("uploaded", "checked") else None
        waiting = target.issue.waiting(session, queries.created(session, batch.id)) if target.issue and batch.state == "loaded" else 0
        branch, by = staff.branches(session)[batch.branch_id], staff.names(session, {batch.by_id}).get(batch.by_id, "—")
    page = render_template(
        "imports/batch.html", batch=batch, target=target, bad=bad, links=links, before=before, waiting=waiting, branch=branch, by=by, note=sheets.note, whole=_sees_all(one), cell=_cell(one), kept=queries.KEPT.days,
        trouble=words.trouble(batch.trouble), sentence=words.sentence, field=words.field, states=words.STATE, encodings=words.ENCODINGS, choosable=ENCODINGS,
        unused=[head for column, head in enumerate(batch.heads) if head and column not in batch.mapping.values()],
        fields=wrong.fields if wrong else {}, refusal=wrong.message if wrong else "", busy=batch.state in ("checking", "loading", "undoing"),
    )
    return (page, wrong.status, _refusal(wrong)) if wrong else page


def _cell(one: One) -> Callable[[str], str]:
    """A cell of the table as this reader sees it."""
    return str if _sees_all(one) else lambda text: masking.shown_words(one.me, str(text))


def _sent(write: Callable[[IO[bytes]], Any], name: str, kind: str = XLSX) -> Response:
    out = tempfile.TemporaryFile()  # noqa: SIM115  the answer closes it
    write(out)
    out.seek(0)
    answer = send_file(out, mimetype=kind, download_name=name, as_attachment=True)
    answer.headers["Cache-Control"] = "no-store"
    return answer
