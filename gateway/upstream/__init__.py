"""What both zones need to speak to OpenAI-compatible servers: answers, usage, errors, events, compression, breaker.

Sans-io and pure: bytes in, deltas and errors out. Must not open a socket or know a zone.
"""
