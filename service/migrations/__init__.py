"""The tables, as history: numbered, named for the fact, never edited once merged."""
