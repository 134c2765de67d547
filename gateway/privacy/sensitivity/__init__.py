"""The judge of sensitivity: what a text is about, seen by a small encoder on this machine.

Owns the encoder and what was judged. Knows texts; must not know requests or policies, or decide what counts. Nothing is
imported here: whoever needs the names of the kinds alone, as the egress process does, loads no encoder.
"""
