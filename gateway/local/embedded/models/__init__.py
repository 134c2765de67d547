"""Which models are in memory, which one is evicted for another, and where their files lie.

`scheduler` and `eviction` decide by sizes and times and are pure; `pool` carries out what they decide. Must not look
into requests, or know how a worker process is started or spoken to.
"""
