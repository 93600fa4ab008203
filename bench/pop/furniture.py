"""What the desk and the boards look at: a firm's customers and its last ninety days, and one published archive."""

from sqlalchemy import text

from bench.stage import Stage
from etl import nightly
from service.core import clock, db, scope

CALLERS = 2000
CALLS = 30_000
TICKETS = 6_000

ROWS = """
    insert into agent_state (staff_id, switch, extension, chosen, state, since, branch_id)
        select staff_id, switch, extension, 'ready', 'ready', now(), 1 from extension_assignment;
    insert into phone_line (switch, kind, name, label, branch_id) values
        ('pbx1', 'queue', 'support', 'Support', 1), ('pbx1', 'queue', 'sales', 'Sales', 1);
    insert into party (number, name, created_at, branch_id)
        select 'C-' || n, 'Customer ' || n, now() - interval '1 year', 1 from generate_series(1, :callers) n;
    insert into party_phone (party_id, raw, e164, digits, kind, branch_id)
        select id, '138' || lpad(id::text, 8, '0'), '+86138' || lpad(id::text, 8, '0'), '138' || lpad(id::text, 8, '0'), 'e164', 1
        from party;
    insert into device (number, party_id, name, model, serial, branch_id)
        select 'D-' || id, id, 'Printer', 'M1', 'S' || id, 1 from party;
    insert into call (switch, call_key, direction, caller_number, caller_e164, called, queue, agent, answered_by, staff_id, party_id,
            disposition, hangup_by, started_at, queued_at, answered_at, ended_at, wait_seconds, talk_seconds, total_seconds,
            recorded, live, provenance, revision, stored_at, branch_id)
        select 'pbx1', n || '.1', 'inbound', '138' || lpad(party::text, 8, '0'), '+86138' || lpad(party::text, 8, '0'), '02150800100',
            case when n % 4 > 0 then 'support' else 'sales' end,
            case when taken then agent end, case when taken then agent end, case when taken then 1 + n % :people end, party,
            case when taken then 'answered' else 'abandoned' end, 'caller', at, at,
            case when taken then at + waited end, at + waited + interval '90 s', n % 40, case when taken then 90 end, n % 40 + 90,
            false, false, 'live', n, at, 1
        from (select n, 1 + n % :callers as party, (:first + n % :people)::text as agent, n % 12 > 0 as taken,
                now() - interval '90 days' * (1 - n / cast(:calls as float)) as at, n % 40 * interval '1 s' as waited
            from generate_series(1, :calls) n) g;
    insert into ticket (number, party_id, device_id, priority, state, subject, assignee_id, registered_by_id, registered_at,
            response_due_at, resolve_due_at, assigned_at, accepted_at, finished_at, branch_id)
        select 'SR' || n, party, party, (array['urgent', 'normal', 'low'])[1 + n % 3], case when n % 5 > 0 then 'to_settle' else 'accepted' end,
            'Printer jams ' || n, 1 + n % :people, 1 + n % :people, at, at + interval '1 h', at + interval '1 day',
            at + interval '5 min', at + n % 90 * interval '1 min', case when n % 5 > 0 then at + n % 30 * interval '1 h' end, 1
        from (select n, 1 + n % :callers as party, now() - interval '90 days' * (1 - n / cast(:tickets as float)) as at
            from generate_series(1, :tickets) n) g;
"""


def furnish(place: Stage, first_extension: int) -> None:
    """Customers, calls and tickets exist, and the boards have a generation of them."""
    values = {
        "callers": CALLERS, "calls": CALLS, "tickets": TICKETS, "people": place.people, "first": first_extension,
    }
    with db.begin(scope.ALL) as session:
        for statement in ROWS.strip().rstrip(";").split(";\n"):
            session.execute(text(statement), values)
    owner = db.Database(place.settings, "bench").owner
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    owner.dispose()
    night = nightly.run(place.settings, slot="bench", at=clock.now(), full=True)
    assert night.refused is None, night.refused


def number_of(caller: int) -> str:
    """The telephone number of customer 1 … CALLERS."""
    return f"138{caller:08d}"
