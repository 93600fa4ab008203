"""Departments of a branch, with heads, and the teams inside them."""
