"""The floor at a glance: queues, agents and the calls of this moment, with the day's figures. It writes nothing."""
