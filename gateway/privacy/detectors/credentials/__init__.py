"""Secrets: as issuers format them, as programs and files assign them, as commands take them, and as people tell them.

Owns what a name or a value has to look like to be a secret, or to stand for one. Must not look at other categories.
"""
