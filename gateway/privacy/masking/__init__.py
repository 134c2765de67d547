"""Documents with pseudonyms in the place of what was found, what is still left to read in them, and answers put back.

Owns which pseudonym stands for what. Pure: the mapping and chance are passed in. Must not decide what may be masked.
"""
