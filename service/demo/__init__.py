"""A firm to look at: people, customers, devices and a quarter of history, invented from one seed."""
