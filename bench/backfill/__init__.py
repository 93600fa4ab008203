"""Is any call lost for good when the ear dies? A real Asterisk under load, rounds of kill, cut and crash, and then its files."""
