"""Proof of what holds for every request that could come: claims by a solver, expectations, and static checks.

Owns what a policy must pass before it comes into force. Must not be needed for a decision: z3 is loaded only where a
policy is checked.
"""
