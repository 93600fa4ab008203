"""Patrols: rounds of sites that somebody is to visit, what was found there, and the repair request that a fault becomes.

It refuses to know whether a site is in order: it only says what the latest patrol found.
"""
