"""Which models are in memory, which one is evicted for another, and where their files lie.

Decides by sizes and times. Must not look into requests or talk to a worker.
"""
