"""Screens that look back: the last nights and what they proved."""
