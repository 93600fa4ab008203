"""Where a device stands: its site and project, and the code on its label."""
