"""The shelf: an audio file that the switch left behind becomes a recording of its call, kept by its own hash.

Owns the vault, the collecting and who may listen. It refuses to know AMI: a path that came over a wire is never opened.
"""
