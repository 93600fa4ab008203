-- One row per local day, with the moments at which it begins and ends.
select day as local_day, begins_at, ends_at
from raw.local_day
