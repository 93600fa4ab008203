"""What the desk asks of a switch: dial, pass on, hang up, pause, listen. A row is asked for, taken once, and told how it went."""
