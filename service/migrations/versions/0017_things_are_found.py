"""Whatever is looked for by a few typed letters has an entry in one index."""

from service.migrations import rules

revision = "0017"
down_revision = "0016"

TABLES = """
create table search_entry (
    kind text not null,
    ref_id bigint not null,
    branch_id bigint not null,
    label text not null,
    label_key text not null,
    hint text default '' not null,
    code text default '' not null,
    reading text default '' not null,
    weight integer default 0 not null,
    tokens tsvector not null,
    constraint pk_search_entry primary key (kind, ref_id),
    constraint fk_search_entry_branch_id foreign key(branch_id) references branch (id)
);
create index ix_search_entry_branch_id on search_entry (branch_id);
create index ix_search_entry_tokens on search_entry using gin (tokens);
create index ix_search_entry_label_key on search_entry (label_key text_pattern_ops);
create index ix_search_entry_code on search_entry (code);
"""

# Under row-level security no index serves `@@`: it is not leakproof. So the owner asks, within the declared branches. Of what
# fits by letters 200 are enough to sort; whoever is called exactly so, or begins so, is among them in any case. The statement is
# planned for what was typed: many rows fit "s", and the first pages of the table have enough of them; few fit a number.
FUNCTION = """
create function ringdesk_search(query tsquery, typed text, written text, exact text, kinds text[], most integer)
returns table (kind text, ref_id bigint, label text, hint text, code text, distance integer)
language plpgsql stable security definer set search_path from current as $function$
declare
    scope text := case when ringdesk_sees_all() then '' else ' and e.branch_id = any ($5)' end;
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
        (select e.* from search_entry e where e.tokens @@ $1 and e.kind = any($4)' || scope || ' limit 200)
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
    order by n.distance, n.weight desc, length(n.label_key), n.reading, n.kind, n.ref_id
    limit $6'
    using query, typed, written, kinds, ringdesk_branches(), most, case when exact = '' then 'nothing-is-called-so'::tsquery else quote_literal(exact)::tsquery end;
end
$function$;
"""

REBUILD = """
insert into job (name, args, dedupe, created_at, run_at, max_attempts)
select 'search.rebuild', '{}', 'all', now(), now(), 5 where exists (select from party);
"""


def upgrade() -> None:
    """The table exists under its policy, and the app may ask the function."""
    rules.run(TABLES)
    rules.scoped("search_entry")
    rules.granted("search_entry")
    rules.run(FUNCTION)
    rules.run("revoke execute on function ringdesk_search(tsquery, text, text, text, text[], integer) from public")
    rules.run(f'grant execute on function ringdesk_search(tsquery, text, text, text, text[], integer) to "{rules.app_role()}"')
    # What exists already is indexed by a job: pinyin is known to Python alone, and a big firm would wait for it here.
    rules.run(REBUILD)
