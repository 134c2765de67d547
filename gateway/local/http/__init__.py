"""OpenAI-compatible servers in the user's own network as targets.

Checks that an address is the user's own before anything is sent. Must not take a clearance.
"""
