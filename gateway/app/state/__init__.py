"""The state directory: who may read its files, what it knows that it had, and what follows where that was lost.

It owns the marker `state.json`. It must not read or write the ledger's rows, nor decide where a request goes.
"""
