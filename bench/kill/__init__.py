"""Is anything lost, doubled or torn when processes are killed at random moments? Twenty rounds against the truth."""
