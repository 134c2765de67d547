"""Who a caller is: what API keys may do, how their secrets are made and digested, and who is behind a request.

Owns what is told from a credential itself. Must not know HTTP, the configuration or the ledger, and decides nothing.
"""
