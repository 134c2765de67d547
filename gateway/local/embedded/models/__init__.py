"""Models that the engine runs: where their files lie, what they need, and which sizes fit the memory.

Which of them are in memory is decided in `gateway.local.models`. Must not look into requests.
"""
