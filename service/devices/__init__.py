"""Devices: what customers own, of which parts, who holds it, where it stands, until when it is in warranty.

It owns the archive, components, holders, swaps and the register of what is retired. It refuses to know tickets: a change
remembers the number of the ticket it was made on and nothing of it, and rooms above read both side by side.
"""
