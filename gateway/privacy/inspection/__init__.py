"""Inspection: every string of a document, in every view, through every detector, within limits of time and size.

Owns the limits and the memory of what was found. Must not raise: what can't be read is a doubt.
"""
