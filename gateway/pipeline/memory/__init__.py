"""The memory of sensitive conversations as requests are answered: what is remembered, and what is known again.

Owns which hashes are made of a request and its answer. Must not store them (the ledger does) or decide anything.
"""
