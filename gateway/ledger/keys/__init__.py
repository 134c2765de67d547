"""API keys in the ledger's database: their table, and how a command changes it beside a running gateway.

Must not see a secret: digests come and go.
"""
