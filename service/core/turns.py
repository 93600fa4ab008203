"""Turns at the interpreter and at the processor: who has news must not wait long behind who computes."""

import gc
import os
import sys
from contextlib import suppress

# CPython lets a busy thread keep the interpreter for 5 ms once another asks. A pop changes hands a dozen times between the
# switch and the stream; behind pages or the store that would be a dozen waits.
SHORT = 0.0005


def short() -> None:
    """Threads of this process give way after half a millisecond."""
    sys.setswitchinterval(SHORT)


def settled() -> None:
    """What is loaded by now stays: collections look at younger objects only.

    A whole collection of all that a web process loads holds every thread for a quarter of a second, and four times as
    long on a machine that is busy; a pop behind it would wait.
    """
    gc.collect()
    gc.freeze()


def first() -> None:
    """This process goes before pages and boards when all want the processor; where the system does not permit it, it is one of them."""
    if sys.platform != "win32":
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, -5)
