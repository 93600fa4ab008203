"""A small AMI server that plays a working day.

It owns a pretended switch: agents with phones, queues, a trunk, and callers who ring, wait, give up, talk and hang up. What
it says has the events, the headers and the order of a real Asterisk 22. It is for the demo and for load; the truth about
each call is kept beside the stream so that a listener can be checked against it. It knows nothing of PostgreSQL or the desk.
"""

from telephony.simulator.scenario import Agent, Caller, Queue, Scenario, load, with_agents, with_callers
from telephony.simulator.server import Simulator, run

__all__ = ["Agent", "Caller", "Queue", "Scenario", "Simulator", "load", "run", "with_agents", "with_callers"]
