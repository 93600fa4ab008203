"""One list for every context: paged by key, filtered and sorted in its address, exported as it is shown.

A context writes down once what its list is (in a file `lists.py` beside its `web.py`), and the page, its addresses, its export
and its settings follow from that. A list in twenty lines:

    DEPOTS = lists.know(ListSpec(
        name="depots", title=_l("Depots"), address="/depots", permission="stock.read",
        rows=lambda session, wanted: select(Depot), key=Depot.id, link=lambda depot: f"/depots/{depot.id}",
        columns=(
            Column("number", _l("No."), lambda depot, told: depot.number, sort=Depot.number, kind="ref", width=132),
            Column("name", _l("Name"), lambda depot, told: depot.name, sort=Depot.name_pinyin, width=0, card="title"),
            Column("branch", _l("Branch"), lambda depot, told: told.name("branches", depot.branch_id)),
            Column("closed", _l("Closed on"), lambda depot, told: depot.closed_on, sort=Depot.closed_on, nullable=True, kind="date"),
        ),
        filters=(
            Filter("q", _l("Name contains"), clause=lambda typed: Depot.name.icontains(typed, autoescape=True)),
            Filter("kind", _l("Kind"), "choice", options=lambda session: KINDS, clause=lambda kind: Depot.kind == kind),
            *lists.days("closed", _l("Closed"), Depot.closed_at),
        ),
        sort="name", labels=lambda session, rows, wanted: {"branches": branch_names(session)},
        empty=Empty("building", _l("No depot yet"), _l("Make one with the button at the top right.")),
    ))

    @bp.get("/depots")
    def depots() -> ResponseReturnValue:
        person = identity.require("stock.read")
        with db.begin(person.scope) as session:
            page = lists.page(session, DEPOTS, person, request.args)
        return render_template("lists/page.html", page=page)

`lists/page.html` may be extended (blocks `title`, `beside`, `actions`, `filters`), or its parts be used by themselves
(`{% import "lists/parts.html" as lists with context %}`: chips, form, body). A cell that needs more than its kind gives is a macro
named like the column in the template that the list names as `cells`: `{% macro state(row, told) %}…{% endmacro %}`.
The name of the list must be known at start: `service/wire.py` imports each context's `lists`. Names of other things come
through `labels`, one query a table, never one a row. Sort expressions that may be null say `nullable`; Chinese sorts by its pinyin column.
A column with `masked` (a permission) is covered without it, and neither sorts nor is searched; phones and mails do so by their kind.
The page costs one query for the rows; it never counts them.
"""

from service.core.lists.asking import Asked as Asked
from service.core.lists.asking import days as days
from service.core.lists.paging import Page as Page
from service.core.lists.paging import each as each
from service.core.lists.paging import page as page
from service.core.lists.spec import Column as Column
from service.core.lists.spec import Empty as Empty
from service.core.lists.spec import Filter as Filter
from service.core.lists.spec import ListSpec as ListSpec
from service.core.lists.spec import Told as Told
from service.core.lists.spec import know as know
from service.core.lists.spec import known as known
