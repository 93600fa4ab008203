"""`python -m telephony replay`: the ear on its own. Hearing a switch is `ringdesk listen`."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run the named command and return its exit code."""
    command, rest = (argv[0], argv[1:]) if argv else ("", [])
    if command == "replay":
        from telephony import replay
        return replay.main(rest)
    print("Use: python -m telephony replay FILE...", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
