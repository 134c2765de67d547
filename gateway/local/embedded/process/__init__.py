"""One worker process, kept alive: its start and restarts, the socket to it, and who waits for what it sends.

Must not know prompts or dialects.
"""
