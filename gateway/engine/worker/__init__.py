"""The worker process: start, the loop, the channel to the gateway, and the queue of embeddings.

Carries out what the scheduler plans. Must not decide about fairness, slots or the cache.
"""
