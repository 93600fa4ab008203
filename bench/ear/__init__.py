"""How dear is hearing? CPU seconds per 100,000 events, beside panoramisk with one callback and a plain split."""
