"""SLA, thin: how long a first answer and a solution may take, by priority.

Calendars and stopped clocks come later; until then a clock runs through.
"""
