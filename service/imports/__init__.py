"""Imports: a file becomes a batch, a batch is checked row by row, loaded by a job, and can be taken back.

It knows files, columns, rows and what became of them. What a row means it asks of the targets that contexts below declare, and
`wire()` hands in; no business word stands here.
"""
