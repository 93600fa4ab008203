"""How people prove who they are: second factors, passkeys, the age of passwords, from where a role signs in, open sign-ins.

Owns what is kept of these proofs and the steps between the right password and an open sign-in. It knows no page but its own,
and no business of the firm. A sign-in that waits for a step is no sign-in: it stands in a table of its own, where nothing
that looks for signed-in people can find it.
"""
