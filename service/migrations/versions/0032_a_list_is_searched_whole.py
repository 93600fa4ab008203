"""What is searched for in a list is looked for among the rows of that list, and as many are found as the list asks for."""

from service.migrations import rules

revision = "0032"
down_revision = "0031"

SIGNATURE = "ringdesk_search(tsquery, text, text, text, text[], integer, bigint, bigint[], bigint[], bigint[]{})"

# As in 0023; `among` are the things of one kind that may be found at all.
FUNCTION = """
create function ringdesk_search(query tsquery, typed text, written text, exact text, kinds text[], most integer,
                                me bigint, whole bigint[], departments bigint[], of_branches bigint[], among bigint[] default null)
returns table (kind text, ref_id bigint, label text, hint text, code text, distance integer)
language plpgsql stable security definer set search_path from current as $function$
declare
    scope text := case when ringdesk_sees_all() then '' else ' and e.branch_id = any ($5)' end
        || case when me is null then '' else ' and (e.owners is null or $8 = any (e.owners) or e.branch_id = any ($9)
            or (e.department_id = any ($10) and e.branch_id = any ($11)))' end
        || case when among is null then '' else ' and e.ref_id = any ($12)' end;
begin
    return query execute '
    with hits as (
        (select e.* from search_entry e where e.code = $3 and e.kind = any($4)' || scope || ' limit 20)
        union all
        (select e.* from search_entry e where e.label_key ~>=~ $2 and e.label_key ~<~ ($2 || chr(1114111)) and e.kind = any($4)' || scope || '
          order by e.label_key using ~<~ limit 50)
        union all
        (select e.* from search_entry e where e.tokens @@ $7 and e.kind = any($4)' || scope || ' limit 20)
        union all
        (select e.* from search_entry e where e.tokens @@ $1 and e.kind = any($4)' || scope || ' limit greatest(200, $6))
    ),
    near as (
        select distinct on (h.kind, h.ref_id) h.*, case
            when h.code = $3 or h.label_key = $2 then 0
            when h.tokens @@ $7 then 1
            when starts_with(h.label_key, $2) then 2
            when starts_with(h.code, $3) then 3
            when position($2 in h.label_key) > 0 then 4
            when starts_with(h.reading, $2) or position('' '' || $2 in h.reading) > 0 then 5
            else 6 end as distance
        from hits h
    )
    select n.kind, n.ref_id, n.label, n.hint, n.code, n.distance from near n
    order by n.weight < 0, n.distance, n.weight desc, length(n.label_key), n.reading, n.kind, n.ref_id
    limit $6'
    using query, typed, written, kinds, ringdesk_branches(), most, case when exact = '' then 'nothing-is-called-so'::tsquery else quote_literal(exact)::tsquery end,
        me, whole, departments, of_branches, among;
end
$function$;
"""


def upgrade() -> None:
    """The function knows among which things it looks."""
    rules.run(f"drop function {SIGNATURE.format('')}")
    rules.run(FUNCTION)
    new = SIGNATURE.format(", bigint[]")
    rules.run(f"revoke execute on function {new} from public")
    rules.run(f'grant execute on function {new} to "{rules.app_role()}"')
