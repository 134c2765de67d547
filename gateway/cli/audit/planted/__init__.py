"""Where and how the audit plants a value: places of every dialect, encodings, seams between strings, tags and headers.

Owns the tables. Must not send anything.
"""
