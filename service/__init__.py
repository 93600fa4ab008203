"""The desk: the only room with business words; its actions alone write PostgreSQL."""
