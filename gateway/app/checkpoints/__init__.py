"""Checkpoints of the ledger's chain: the key that signs them, when that is due, and the file elsewhere that gets them.

It must never hold back a request: whatever fails here is a warning.
"""
