"""What every list can do by its name, whatever its rows are: be taken along, arranged, saved as a view, and worked on many rows at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from service.core import audit, clock, db, identity
from service.core.errors import DeskError, Invalid
from service.core.identity import Identity
from service.core.lists import asking, export, kept, paging
from service.core.lists.spec import Action, ListSpec, known

bp = Blueprint("lists", __name__, url_prefix="/lists")
MIME = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}
AT_ONCE = max(asking.SIZES)


def _spec(name: str) -> tuple[Identity, ListSpec]:
    """The list and who asks for it; refused without its permission."""
    spec = known(name)
    return identity.require(spec.permission), spec


def _back(spec: ListSpec, **more: str) -> str:
    """The list with the conditions that the form was sent from."""
    told = dict(parse_qsl(request.form.get("query", "")[: kept.LONGEST_QUERY])) | more
    return spec.address + ("?" + urlencode({name: value for name, value in told.items() if value}) if told else "")


@bp.get("/<name>/export.<any(xlsx, csv):form>")
def take(name: str, form: str) -> ResponseReturnValue:
    """The list as its address shows it, all pages of it; who took it is on record."""
    spec, now = known(name), clock.now()
    person = identity.require(spec.permission, "export")
    with db.begin(person.scope) as session:
        asked = asking.read(session, spec, person, request.args)
        made = (export.workbook if form == "xlsx" else export.text)(session, spec, person, asked, at=now)
        audit.record(session, at=now, by=person.staff_id, verb="exported", entity="list", entity_id=None, new={"list": name, "form": form, **asked.kept}, branch_id=person.place)
    return send_file(made, MIME[form], as_attachment=True, download_name=f"{name}-{clock.local(now):%Y%m%d-%H%M}.{form}")


@bp.post("/<name>/layout")
def lay_out(name: str) -> ResponseReturnValue:
    """The columns are kept as they were arranged, for the person or as a role's default; or the list is as it comes again."""
    (person, spec), form = _spec(name), request.form
    columns = "" if form.get("reset") else form.get("columns", "") or ",".join(form.getlist("column"))
    if not columns and not form.get("reset"):
        raise Invalid(_("At least one column has to be shown. Tick one."))
    with db.begin(person.scope) as session:
        role = form.get("role", "")
        if role and role not in kept.roles(session, person):
            raise Invalid(_("There is no such role. Choose one of the list."))
        kept.lay_out(session, spec, columns, role=role, by=person, at=clock.now())
    if "HX-Request" in request.headers:
        return "", 204
    if role:
        flash(_("The columns are the default of this role. Who has arranged them by hand keeps their own."))
    return redirect(_back(spec, cols=""))


@bp.post("/<name>/views")
def save_view(name: str) -> ResponseReturnValue:
    """The list as it is shown has a name and is opened by it."""
    (person, spec), form = _spec(name), request.form
    with db.begin(person.scope) as session:
        asking.read(session, spec, person, dict(parse_qsl(kept.conditions(spec, form.get("query", "")))) | {"saved": asking.PLAIN})
        shared = kept.shared_with(form.get("shared", ""), person)
        view_id = kept.save_view(session, spec, form.get("name", ""), form.get("query", ""), form.get("columns", ""), shared, by=person, at=clock.now())
    flash(_("Saved as a view."))
    return redirect(_back(spec, saved=str(view_id), cols=""))


@bp.post("/<name>/views/<int:view_id>/<any(replace, remove, start):how>")
def change_view(name: str, view_id: int, how: str) -> ResponseReturnValue:
    """The view keeps the list as it is now, is gone, or is what the person's list begins with."""
    (person, spec), form, now = _spec(name), request.form, clock.now()
    with db.begin(person.scope) as session:
        if how == "replace":
            kept.replace_view(session, spec, view_id, form.get("query", ""), form.get("columns", ""), by=person, at=now)
        elif how == "remove":
            kept.remove_view(session, spec, view_id, by=person, at=now)
        else:
            kept.start_with(session, spec, view_id, by=person)
    return redirect(_back(spec, saved="" if how == "remove" else str(view_id), cols=""))


@dataclass(frozen=True)
class Refused:
    """A row with which it was not done, and why."""

    name: str
    link: str
    why: str


@bp.post("/<name>/do/<action>")
def do(name: str, action: str) -> ResponseReturnValue:
    """It is done with each of the rows that allows it; the answer says with how many, and which refused and why."""
    spec = known(name)
    identity.require(spec.permission)
    act = next((one for one in spec.actions if one.key == action), None)
    if act is None:
        raise Invalid(_("This list knows no such action. Load the page again."))
    person = identity.require(spec.permission, act.permission)
    ids = _ids()
    if act.leads:
        address, name = act.leads
        return redirect(f"{address}?{urlencode([(name, key) for key in ids])}")
    with db.begin(person.scope) as session:
        choice = _choice(session, act)
        answers = {key: _one(session, act, key, choice, person) for key in ids}
        refused = _named(session, spec, {key: why for key, why in answers.items() if why is not None}, person)
    done = len(answers) - len(refused)
    if refused:
        return render_template("lists/done.html", spec=spec, action=act, done=done, refused=refused, back=_back(spec))
    flash(ngettext("%(action)s: done with %(num)s row.", "%(action)s: done with %(num)s rows.", done, action=act.label))
    return redirect(_back(spec))


def _named(session: Session, spec: ListSpec, why: Mapping[int, str], person: Identity) -> list[Refused]:
    """The refused rows by the name that their first column gives; one that the person may not see has its number alone."""
    names = paging.named(session, spec, person, list(why), at=clock.now()) if why else {}
    return [Refused(*names.get(key, (str(key), "")), words) for key, words in why.items()]


def _ids() -> list[int]:
    texts = request.form.getlist("id")
    if not texts:
        raise Invalid(_("No row is ticked. Tick the rows first."))
    if len(texts) > AT_ONCE or not all(text.isascii() and text.isdigit() and len(text) < 19 for text in texts):
        raise Invalid(_("At most %(count)s rows at once. Tick fewer.", count=AT_ONCE))
    return list(dict.fromkeys(int(text) for text in texts))


def _choice(session: Session, act: Action) -> str:
    if act.options is None:
        return ""
    choice = request.form.get("choice", "")
    if choice not in {str(code) for code, _words in act.options(session)}:
        raise Invalid(_("Choose one of the list: %(what)s.", what=act.choose))
    return choice


def _one(session: Session, act: Action, key: int, choice: str, person: Identity) -> str | None:
    """None when it is done, else the sentence that refused it; what one row refuses, the others do not suffer from."""
    try:
        with session.begin_nested():
            assert act.do is not None, "an action that does nothing and leads nowhere"
            act.do(session, key, choice, person, clock.now())
    except DeskError as error:
        return error.message
    return None
