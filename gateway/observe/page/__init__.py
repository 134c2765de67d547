"""The status page: the last requests, what it shows of them, and its HTML.

Owns what it remembers of them: names, counts, times and money. Must not show content or load anything from elsewhere.
"""
