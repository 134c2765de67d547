"""Energy that the machine uses: meters, its cost by the tariff, and which request each joule belongs to.

Owns the one thread that reads meters. Must not slow a request down or fail one.
"""
