"""The tree of branches (网点): headquarters, regions, branches, agents' companies."""
