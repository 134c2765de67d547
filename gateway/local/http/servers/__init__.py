"""The servers behind one target: one, or several that run the same model.

Owns which of them a request goes to, what each is known to have under way, and whether it is there. Must not know what
is sent to them.
"""
