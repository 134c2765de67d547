"""The way out to clouds as it is configured: what is told to the process that asks them, its life, and its probe.

Owns how the two processes are put together. Must not read a cloud's key.
"""
