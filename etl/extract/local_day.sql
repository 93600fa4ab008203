-- One row per local day on which agents have a state; where the clocks change a day is 23 or 25 hours long, which only the
-- source can tell. Few rows without a change mark, so every night reads all of them.
select
    d::date as day,
    d::date::timestamptz as begins_at,
    (d::date + 1)::timestamptz as ends_at
from generate_series((select min(at)::date from agent_state_change)::timestamp, transaction_timestamp()::date::timestamp, interval '1 day') as d
