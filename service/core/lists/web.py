"""What every list can do by its name, whatever its rows are."""

from flask import Blueprint, request, send_file
from flask.typing import ResponseReturnValue

from service.core import audit, clock, db, identity
from service.core.lists import asking, export
from service.core.lists.spec import known

bp = Blueprint("lists", __name__, url_prefix="/lists")
MIME = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}


@bp.get("/<name>/export.<any(xlsx, csv):form>")
def take(name: str, form: str) -> ResponseReturnValue:
    """The list as its address shows it, all pages of it; who took it is on record."""
    person, spec, now = identity.require("export"), known(name), clock.now()
    identity.require(spec.permission)
    with db.begin(person.scope) as session:
        asked = asking.read(session, spec, person, request.args)
        made = (export.workbook if form == "xlsx" else export.text)(session, spec, person, asked, at=now)
        audit.record(session, at=now, by=person.staff_id, verb="exported", entity="list", entity_id=None, new={"list": name, "form": form, **asked.kept}, branch_id=person.branch_id)
    return send_file(made, MIME[form], as_attachment=True, download_name=f"{name}-{clock.local(now):%Y%m%d-%H%M}.{form}")
