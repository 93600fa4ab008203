"""How fast is a pop? From the switch's bytes on a socket to a browser, alone and beside a busy day."""
