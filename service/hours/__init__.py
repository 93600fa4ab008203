"""Opening hours: when the firm, a branch or a line is open, with holidays and make-up workdays.

It owns calendars and who uses which. It refuses to know calls and tickets: they ask it whether a moment was open and how
much open time lies between two.
"""
