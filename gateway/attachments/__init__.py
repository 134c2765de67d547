"""Reader of files that people attach: what they say, piece by piece, and whether that is all of it.

Owns the worker processes that open files, which have no network and no way to write, and the memory of what was read.
Must not know requests or policies, open a file in the gateway's own process, or decide what counts.
Imports nothing here: the worker is a module of this package, and should be small.
"""
