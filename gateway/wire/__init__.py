"""The dialects that our clients speak: bytes → requests, deltas → bytes, one package for each dialect.

Owns how bodies are read strictly and how answers and errors look in each dialect. Must not do I/O, read a clock or
know where a request goes; ids and times are passed in.
"""
