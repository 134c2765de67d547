"""Worker process: its start, its loop, the channel to the gateway, and the queue of embeddings.

Owns the model and carries out what the scheduler plans. Must not decide about fairness, slots or the prompt cache.
"""
