"""Calendars are made, changed and given to whoever follows them. Each change is on record."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.core import audit
from service.core.errors import Invalid, NotFound
from service.hours import rules
from service.hours.model import HoursCalendar, HoursDay, HoursSpan, HoursUse

WORKDAYS = ("09:00-18:00",) * 5 + ("", "")
LONGEST = 60  # days of one holiday


def create(session: Session, name: str, *, zone: str, by: int, at: datetime) -> int:
    """A calendar of working days exists under that name. Raises Invalid for an empty or a known one."""
    calendar = HoursCalendar(name=_name(session, name, 0), zone=zone)
    session.add(calendar)
    session.flush()
    _week(session, calendar.id, [rules.read_spans(text) for text in WORKDAYS])
    _recorded(session, "create", calendar.id, {"name": calendar.name}, by=by, at=at)
    return calendar.id


def change(session: Session, calendar_id: int, name: str, week: Sequence[str], *, by: int, at: datetime) -> None:
    """The calendar has that name and those hours, Monday first. Raises Invalid by the field."""
    calendar = _locked(session, calendar_id)
    spans, fields = [], {}
    for weekday, text in enumerate(week):
        try:
            spans.append(rules.read_spans(text))
        except rules.BadSpans as error:
            fields[f"day-{weekday}"] = _(
                "“%(part)s” cannot be read. Write 09:00-12:00, 13:30-18:00; what runs past midnight ends at 24:00 and goes on the next day.",
                part=error.part[:40],
            )
    if fields:
        raise Invalid(next(iter(fields.values())), fields)
    before = [rules.written(_read(session, calendar_id, day)) for day in range(7)]
    calendar.name = _name(session, name, calendar_id)
    _week(session, calendar_id, spans)
    _recorded(session, "change", calendar_id, {"name": calendar.name, "week": " | ".join(map(rules.written, spans))}, by=by, at=at, old=" | ".join(before))


def days_set(session: Session, calendar_id: int, first: date, last: date | None, like: int | None, note: str, *, by: int, at: datetime) -> None:
    """These days are closed, or open like that weekday, whatever they were before. Raises Invalid for a span that is none."""
    _locked(session, calendar_id)
    last = last or first
    if not first <= last <= first + timedelta(days=LONGEST):
        refusal = _("The last day comes after the first, %(count)s days later at most.", count=LONGEST)
        raise Invalid(refusal, {"until": refusal})
    rows = [
        {"calendar_id": calendar_id, "day": first + timedelta(days=n), "like_weekday": like, "note": note.strip()[:80]}
        for n in range((last - first).days + 1)
    ]
    added = insert(HoursDay)
    session.execute(
        added.on_conflict_do_update(
            index_elements=["calendar_id", "day"], set_={"like_weekday": added.excluded.like_weekday, "note": added.excluded.note}
        ),
        rows,
    )
    _recorded(session, "set days", calendar_id, {"from": first, "to": last, "like": like, "note": note.strip()[:80]}, by=by, at=at)


def day_cleared(session: Session, calendar_id: int, day: date, *, by: int, at: datetime) -> None:
    """That day is again as its weekday."""
    _locked(session, calendar_id)
    session.execute(delete(HoursDay).where(HoursDay.calendar_id == calendar_id, HoursDay.day == day))
    _recorded(session, "clear day", calendar_id, {"day": day}, by=by, at=at)


def follow(
    session: Session, calendar_id: int, *, by: int, at: datetime, branch_id: int | None = None, switch: str | None = None, line: str | None = None
) -> None:
    """That line, that branch, or the whole firm follows this calendar, and no other any more."""
    _locked(session, calendar_id)
    row = {"calendar_id": calendar_id, "of_branch": branch_id, "switch": switch, "line": line}
    session.execute(
        insert(HoursUse).values(row).on_conflict_do_update(index_elements=["of_branch", "switch", "line"], set_={"calendar_id": calendar_id})
    )
    _recorded(session, "follow", calendar_id, {"branch": branch_id, "switch": switch, "line": line}, by=by, at=at)


def unfollow(session: Session, use_id: int, *, by: int, at: datetime) -> None:
    """Whoever it was follows the calendar of the next above, or none."""
    use = session.get(HoursUse, use_id)
    if use is not None:
        session.delete(use)
        session.flush()
        _recorded(session, "unfollow", use.calendar_id, {"branch": use.of_branch, "switch": use.switch, "line": use.line}, by=by, at=at)


def remove(session: Session, calendar_id: int, *, by: int, at: datetime) -> None:
    """The calendar is gone. Raises Invalid while anybody follows it."""
    calendar = _locked(session, calendar_id)
    if session.scalars(select(HoursUse.id).where(HoursUse.calendar_id == calendar_id)).first() is not None:
        raise Invalid(_("Somebody follows these hours. Take them off first, then delete the hours."))
    _recorded(session, "remove", calendar_id, {"name": calendar.name}, by=by, at=at)
    session.delete(calendar)
    session.flush()


def _locked(session: Session, calendar_id: int) -> HoursCalendar:
    calendar = session.get(HoursCalendar, calendar_id, with_for_update=True)
    if calendar is None:
        raise NotFound(_("These hours are gone. Load the page again."))
    return calendar


def _name(session: Session, name: str, own: int) -> str:
    name = name.strip()[:60]
    taken = session.scalars(select(HoursCalendar.id).where(HoursCalendar.name == name, HoursCalendar.id != own)).first()
    if not name or taken is not None:
        refusal = _("Give the hours a name that no others have.")
        raise Invalid(refusal, {"name": refusal})
    return name


def _read(session: Session, calendar_id: int, weekday: int) -> list[rules.Span]:
    rows = session.execute(
        select(HoursSpan.opens, HoursSpan.closes)
        .where(HoursSpan.calendar_id == calendar_id, HoursSpan.weekday == weekday)
        .order_by(HoursSpan.opens)
    )
    return [(opens, closes) for opens, closes in rows]


def _week(session: Session, calendar_id: int, spans: Sequence[tuple[rules.Span, ...]]) -> None:
    session.execute(delete(HoursSpan).where(HoursSpan.calendar_id == calendar_id))
    session.add_all(
        HoursSpan(calendar_id=calendar_id, weekday=weekday, opens=opens, closes=closes)
        for weekday, day in enumerate(spans)
        for opens, closes in day
    )
    session.flush()


def _recorded(session: Session, verb: str, calendar_id: int, new: dict[str, object], *, by: int, at: datetime, old: str = "") -> None:
    audit.record(session, at=at, by=by, verb=verb, entity="hours", entity_id=calendar_id, old={"week": old} if old else None, new=new)
    session.flush()
