"""What somebody who goes leaves behind: tickets, plans and people that wait for another."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.core import db, identity
from service.core.errors import NotFound
from service.maintenance import queries as maintenance
from service.staff import queries as staff
from service.tickets import queries as tickets

bp = Blueprint("leaving", __name__)


@bp.get("/settings/people/<int:staff_id>/left")
def left(staff_id: int) -> ResponseReturnValue:
    """The part of a person's page that says what is still theirs, and where to give it to another; nothing when nothing is."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        if not staff.works_within(session, staff_id, me.scope):
            raise NotFound(_("There is no such person. Look for them in the list of people."))
        counts = {"tickets": tickets.held_by(session, staff_id), "plans": maintenance.in_charge(session, staff_id)}
        leads = staff.leads(session, staff_id)
    return render_template("staff/left.html", staff_id=staff_id, **counts, leads=leads)
