-- What counts as good for the service level counts at all, and nobody is kept who was not judged.
select call_id, level_hit, level_counted, judged, kept
from fact_call
where level_hit > level_counted or level_counted > answered + abandoned or kept > judged or judged > answered or transferred > answered
