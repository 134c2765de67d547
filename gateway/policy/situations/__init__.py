"""Requests and their moment without a client: made up from facts, or read back from the ledger's record.

Holds outlines, never content.
"""
