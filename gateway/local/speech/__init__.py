"""Targets that hear, by a model that this machine runs: the client of `gateway.speech`, whose process it owns.

Must not decode sound, or load a model, in this process.
"""
