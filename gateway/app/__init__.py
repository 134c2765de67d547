"""The composition root: the one room that knows all concrete classes, and wires them together.

Owns the policy in force, the list of targets, and the order of starting and stopping. Must not decide anything about a
request: decisions are `policy`'s, the order of steps is `pipeline`'s.
"""
