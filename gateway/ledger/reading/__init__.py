"""What people and programs read from a ledger that a gateway may be writing to: sums, single requests, its state.

Owns connections that can't write. Must not change anything.
"""
