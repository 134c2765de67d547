"""Models in one memory: which ones are loaded, and which one is evicted for another. Who holds them does not matter.

`scheduler`, `residency`, `eviction` and `effects` decide by sizes and times and are pure; `pool` carries out what they
decide, and `events` are what is told of it. Must not look into requests, or know how a process is started or spoken to.
"""
