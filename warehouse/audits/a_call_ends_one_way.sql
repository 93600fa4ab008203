-- No call is both answered and abandoned, and none waits a negative time.
select call_id, answered, abandoned, wait_seconds, talk_seconds
from fact_call
where answered + abandoned > 1 or (abandoned = 1 and talk_seconds > 0) or wait_seconds < 0 or talk_seconds < 0 or within_limit > answered or short_abandoned > abandoned
