"""`python -m bench.fuzz [MINUTES]`: the wire, the guard and the steps against anything that a line can bring; 30 minutes by default."""

import resource
import sys

from tests.telephony.faults.fuzz import fuzz


def main(minutes: float) -> None:
    """Print each minute what was tried, and how much memory there is; a fault of ours ends it with its traceback."""
    for minute in range(int(minutes)):
        report = fuzz(60.0, seed=minute)
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"minute {minute + 1}: {report.frames} frames, {report.bytes / 1e6:.0f} MB, at most {report.most_calls} calls and "
              f"{report.most_ids} ids at once, {megabytes:.0f} MB of memory", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
