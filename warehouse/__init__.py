"""THE ARCHIVE: what was known at the end of a night, built from plain SQL and read by boards and workbooks.

It owns staging, marts and audits, and the file each generation lives in. It refuses to know the operational database:
rows arrive in the schema `raw`, parameters in the one-row table `ops.run`, and everything else follows from them.
"""
