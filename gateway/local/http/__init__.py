"""OpenAI-compatible servers in the user's own network as targets.

Owns the check that an address is the user's own, made before anything is sent. Must not take a clearance.
"""
