"""The whole product against a real switch and a real browser."""
