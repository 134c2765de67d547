"""Other ways to read a text: as a person sees it, and as a program decodes it. Pure and bounded.

Owns the views and where each part of them stands in the client's own text. Must not look for anything in them.
"""
