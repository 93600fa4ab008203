"""Calls: one record a call however many events it made, its legs, its pops, its recordings.

It owns what was said on the phone and when. It knows parties and who sits where; it refuses to know tickets.
"""
