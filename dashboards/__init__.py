"""THE WINDOW: boards and workbooks made from the same rows of one published generation, so screen and sheet cannot disagree.

It owns what a board asks, draws and exports. It refuses to know PostgreSQL and the desk's models: rows come from
`warehouse.read`, narrowed to the branches of the reader, and the reader comes from `service.core.identity`.
"""
