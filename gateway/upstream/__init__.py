"""What both zones need to speak to OpenAI-compatible servers: answers, usage, errors, events, compression, exchanges.

Bytes in, deltas and errors out; all of it pure except `exchange`, which waits for what its caller sends and reads. Must
not open a socket or know a zone.
"""
