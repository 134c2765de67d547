"""One request under one policy: its label, the targets it may use, and why. Pure.

The same input gives the same decision in every process. No I/O, no clock, no YAML.
"""
