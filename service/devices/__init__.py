"""Devices: what customers own, where it stands, until when it is in warranty.

It refuses to know tickets; a device's history is read by rooms above.
"""
