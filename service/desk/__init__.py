"""The desk screen: caller, devices, open tickets, money, and the form, in one look.

It owns no table; it reads contexts below and calls their actions.
"""
