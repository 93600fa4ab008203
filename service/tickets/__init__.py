"""Tickets: from registration to close, with a timeline of old and new values that nobody can edit.

It knows parties, devices, calls and limits. Workflows, forms and dispatch will stand beside it, not inside.
"""
