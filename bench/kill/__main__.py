"""python -m bench.kill: kills processes in rounds and says of each round what was found."""

import argparse
import random
import sys
import time

from bench.kill.rounds import rounds


def main() -> int:
    """Plays the rounds; the exit code is 0 when nothing was lost, doubled or torn."""
    parser = argparse.ArgumentParser(prog="python -m bench.kill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="play a known run's deaths again")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"Seed {seed}.", flush=True)
    began, bad = time.monotonic(), 0
    with rounds(seed) as played:
        for number in range(1, given.rounds + 1):
            told = played.play(number)
            bad += bool(told.wrong)
            print(told.sentence(played), flush=True)
        print(f"A second night at the same time: {played.second_night()}")
        calls, reads = len(played.board.truths()), played.reader.reads
    print(f"{given.rounds - bad} of {given.rounds} rounds clean, {calls} calls, {reads} reads, seed {seed}, {time.monotonic() - began:.0f} s.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
