"""Prompt cache outside the KV memory: states of sequences that left their slot, in RAM and on disk, and checkpoints.

Owns those bytes, and gives them back by their keys. Must not decide what is kept, or for how long: that is
`scheduler/prompt_cache.py`.
"""
