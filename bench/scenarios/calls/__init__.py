"""Scenarios by topic; further.py beside this folder lists them."""
