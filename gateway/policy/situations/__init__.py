"""Requests and their moment without a client: made up from facts, or read back from the ledger's record.

Owns the record's form. Must not hold content: a request here is only an outline.
"""
