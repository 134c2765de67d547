"""Process of one worker, kept alive: its start and restarts, the socket to it, and who waits for what it sends.

Owns the process, the socket and the mailboxes. Must not know prompts or dialects.
"""
