"""Keyed hashes by which a conversation, a line or a passage of it is known again. Pure.

Owns how they are made. Never text. Must not store anything: that is the ledger's.
"""
