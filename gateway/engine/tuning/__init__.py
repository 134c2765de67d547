"""How this machine computes fastest: the number of threads, and in which pieces a batch is decoded.

Measures times and counts. Must not change what is computed.
"""
