"""Keyed hashes by which a conversation, or a passage of it, is known again. Pure.

Never text. Must not store anything: that is the ledger's.
"""
