"""The status page: the last requests, what it shows of them, and its HTML.

Shows names, counts, times and money. Must not show content, and loads nothing from elsewhere.
"""
