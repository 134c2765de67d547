"""API keys of both kinds: those of the configuration, and those that commands make and the ledger's database holds.

Owns the key ring while the gateway runs. Must not decide about requests, or keep a secret as text.
"""
