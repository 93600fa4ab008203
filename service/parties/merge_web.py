"""Suspected duplicates, and two parties that become one: side by side, each value chosen from one of them."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.core import asked, clock, db, identity, scope
from service.core.errors import Invalid, NotFound
from service.parties import actions, merging, queries
from service.parties.duplicates import PAGE, suspected_again, told_apart

bp = Blueprint("merging", __name__)


@bp.get("/customers/duplicates")
def duplicates() -> ResponseReturnValue:
    """Pairs that may be one and the same, by name, phone or tax number, or those that somebody said are two."""
    person, told = identity.require("party.merge"), request.args.get("apart") == "1"
    with db.begin(person.scope) as session:
        rows = queries.pairs(session, _place(), PAGE + 1, apart=told)
    shown, last = rows[:PAGE], rows[PAGE - 1] if len(rows) > PAGE else None
    more = f"/customers/duplicates?after={last.one.id}-{last.other.id}{'&apart=1' if told else ''}" if last else ""
    return render_template("parties/duplicates.html", rows=shown, more=more, first=request.args.get("after", ""), apart=told)


@bp.post("/customers/<int:party_id>/apart")
def apart(party_id: int) -> ResponseReturnValue:
    """The party and the other one are two; with `again`, they are suspected as before."""
    person, again = identity.require("party.merge"), request.form.get("again") == "1"
    other_id = asked.whole(request.form.get("other", "")) or 0
    act = suspected_again if again else told_apart
    with db.begin(person.scope) as session:
        act(session, party_id, other_id, by=person.staff_id, at=clock.now())
    flash(_("They stand among the suspected ones again.") if again else _("They are two from now on."))
    return redirect("/customers/duplicates?apart=1" if again else "/customers/duplicates")


def _place() -> tuple[int, int]:
    one, _dash, other = request.args.get("after", "")[:40].partition("-")
    ids = asked.whole(one), asked.whole(other)
    return (ids[0], ids[1]) if ids[0] is not None and ids[1] is not None else (0, 0)


@bp.get("/customers/<int:party_id>/merge")
def compare(party_id: int) -> ResponseReturnValue:
    """The party beside the one that it may become; without another one, a field that finds it."""
    person = identity.require("party.merge")
    other_id = asked.number("into")
    with db.begin(person.scope) as session:
        old, new = queries.card(session, party_id), queries.card(session, other_id) if other_id else None
        if old is None or (other_id and new is None):
            raise NotFound(_("There is no such customer in your branches. Search by name or number."))
        if new is not None and new.party.id == old.party.id:
            return redirect(f"/customers/{new.party.id}")
        names = queries.category_names(session)
    return render_template("parties/merge.html", old=old, new=new, lines=_lines(old, new, names) if new else [])


def _lines(old: queries.Card, new: queries.Card, categories: dict[int, str]) -> list[tuple[str, Any, Any, bool]]:
    """Each field in which the two differ: what either says, and whether the old one's is proposed, since the other says nothing."""
    found: list[tuple[str, Any, Any, bool]] = []
    for name in merging.FIELDS:
        was, now = getattr(old.party, name), getattr(new.party, name)
        if was == now:
            continue
        own, other = (categories.get(value or 0, "") if name.endswith("category_id") else value for value in (was, now))
        found.append((name, own, other, now in ("", None) and was not in ("", None)))
    return found


@bp.post("/customers/<int:party_id>/merge")
def merge(party_id: int) -> ResponseReturnValue:
    """The party is the other one from now on; everything of it has followed."""
    person, other_id = identity.require("party.merge"), asked.whole(request.form.get("into", ""))
    if other_id is None:
        raise Invalid(_("Choose the customer that stays."))
    chosen = [name for name in merging.FIELDS if request.form.get(f"take-{name}") == "old"]
    versions = asked.whole(request.form.get("old_version", "")), asked.whole(request.form.get("new_version", ""))
    with db.begin(scope.ALL) as session:  # rows of both may stand in branches that the person does not see; the parties may not
        actions.merge(session, party_id, int(other_id), chosen, within=person.scope, by=person.staff_id, at=clock.now(), versions=versions)
    flash(_("Merged. The former number leads here."))
    return redirect(f"/customers/{other_id}")
