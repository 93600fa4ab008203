"""Tables that somebody brings along: a file becomes rows of text, text becomes values, and a target says what its rows mean.

It knows no business word. A context declares its `Target`; `service.imports` reads, checks, loads and takes back by it.
"""
