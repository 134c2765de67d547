"""A copy of the gateway's state and configuration in one archive with digests, and the way back.

It copies what a running gateway writes. It must not change a ledger's rows, nor put a configuration in place.
"""
