"""Calls that are passed on, parked, held, joined and cut: what an everyday call centre does beside the plain call.

`play --from bench/scenarios/further.py NAME …`, where `play` belongs to a lab of a real Asterisk with phones (modules `lab` with
`scenario`, `Lab.inbound`, `Lab.agents`, `Lab.ami`, and `ami`); the truth comes from the phones' own clocks. LAB_RUN names the lab's
script that starts and stops the switch. What was recorded is in tests/telephony/captures/further-*. The scenarios lie by topic in
the folder `calls`; a file of it is played by itself with `PYTHONPATH=bench/scenarios play --from bench/scenarios/calls/parking.py`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from calls import agents, attended, blind, cuts, features, holds, mailboxes, menus, ordered, outbound, parking, rooms  # noqa: F401
