"""A document with pseudonyms in the place of what was found, its residue, and the answers put back.

Pure: the mapping and chance are passed in. Must not decide what may be masked.
"""
