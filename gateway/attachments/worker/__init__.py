"""Process that opens files: their kind by bytes, one module for each format, and the sandbox around them.

Owns nothing but the file in hand. Each format's module has `read(data, budget) -> Parts`; `files.py` chooses among them
and reads files inside files. Must not import anything of the gateway but `core`, open a socket or write a file.
"""
