"""Recordings pause while a secret is spoken: who asked for it, at which field, from when to when. Never what was said.

One row is one field that somebody is in. Several may be open at once, in one page or in several: the recording goes on when
the last of them is left. Whoever forgets is not waited for longer than two minutes, nor than their own part of the call.
"""
