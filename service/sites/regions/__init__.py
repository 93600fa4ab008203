"""The firm's regions: a tree that is everybody's to know."""
