"""`python -m bench.fuzz [MINUTES]`: the wire, the guard and the steps against anything that a line can bring; 30 minutes by default."""

import sys

import psutil

from tests.telephony.faults.fuzz import fuzz


def main(minutes: float) -> None:
    """Print each minute what was tried, and in the end how memory grew; a fault of ours ends it with its traceback."""
    own, sizes = psutil.Process(), list[float]()
    for minute in range(max(1, int(minutes))):
        report = fuzz(60.0, seed=minute)
        sizes.append(own.memory_info().rss / 2**20)
        print(f"minute {minute + 1}: {report.frames:,} frames, {report.bytes / 1e6:.0f} MB, at most {report.most_calls} calls and "
              f"{report.most_ids} ids at once, {sizes[-1]:.1f} MB of memory", flush=True)
    print(f"memory after the first minute {sizes[0]:.1f} MB, after the last {sizes[-1]:.1f} MB: {sizes[-1] / sizes[0]:.2f} x")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
