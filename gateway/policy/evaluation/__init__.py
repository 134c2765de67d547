"""One request under one policy: its label, the targets it may use, and why. Pure.

Owns the decision: the same input gives the same one in every process. Must not do I/O, know the time or read YAML.
"""
