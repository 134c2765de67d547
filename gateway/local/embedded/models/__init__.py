"""Models in the shared memory: which ones are loaded, which one is evicted for another, and where their files lie.

`scheduler`, `residency`, `eviction` and `effects` decide by sizes and times and are pure; `pool` carries out what they
decide. Must not look into requests, or know how a worker process is started or spoken to.
"""
