"""THE NIGHT CART: carries the day's rows from PostgreSQL to the archive, proves that nothing fell off, and only then opens the door.

It owns what is extracted (extract/*.sql), the list of a night's steps, publication, and the hour at which a night begins.
It refuses to know the models of the desk: an extraction is an explicit list of columns.
"""
