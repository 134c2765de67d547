"""The other side of the door: what runs in the egress process, and nowhere else.

Owns the clouds' keys, the connections and the memory of used clearances. Must not trust what it is asked.
"""
