"""Turns at the interpreter: a thread with news must not wait long behind threads that compute."""

import sys

# CPython lets a busy thread keep the interpreter for 5 ms once another asks. A pop changes hands a dozen times between the
# switch and the stream; behind pages or the store that would be a dozen waits.
SHORT = 0.0005


def short() -> None:
    """Threads of this process give way after half a millisecond."""
    sys.setswitchinterval(SHORT)
