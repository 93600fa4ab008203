"""People: branches (网点), roles, sign-in, sessions, and which phone somebody sits at on which day.

It owns who is who and what they may do. It refuses to know customers, calls or tickets.
"""
