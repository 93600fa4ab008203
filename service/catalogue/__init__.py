"""The catalogue: what the firm sells and repairs, as a tree of categories with products in it.

It owns codes, names, units and months of warranty, for all branches alike. Prices and stock will stand above it.
"""
