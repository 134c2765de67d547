"""Servers at home that make pictures in an API of their own: what is asked, watched and stopped there.

Must not open a connection: the target's session does.
"""
