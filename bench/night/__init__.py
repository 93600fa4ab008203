"""How fast is the night? The extract beside pandas.read_sql and beside COPY to nowhere, then a whole night."""
