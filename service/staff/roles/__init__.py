"""Roles: sets of permission codes with a reach, which people hold wherever they reach or in one branch."""
