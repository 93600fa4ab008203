"""The ledger, thin and real: open items of a party and what was allocated to them.

There is no balance to set anywhere: what is open is always the amount less its allocations.
"""
