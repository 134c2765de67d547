"""What makes this machine compute fastest: the number of threads, and in which parts a batch is decoded.

Owns measured times and counts. Must not change what is computed.
"""
