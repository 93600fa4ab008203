"""Maintenance: plans by day or interval, the reminders they bring, and what was found when the work was done.

It raises tickets and hears when they are finished. It refuses to know calls, money and screens of other rooms.
"""
