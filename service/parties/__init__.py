"""Parties: customers (and later vendors), their contacts and phones, and who may be calling.

It owns names, numbers and terms. It refuses to know what a party owns, owes or asked for.
"""
