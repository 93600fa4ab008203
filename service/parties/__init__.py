"""Parties: customers and vendors, their departments, contacts, phones, contracts and accounts, and who may be calling.

It owns names, numbers and terms. It refuses to know what a party owns, owes or asked for: whoever keeps rows about parties
is told when two of them become one (`merging.FOLLOWERS`, filled by wire).
"""
