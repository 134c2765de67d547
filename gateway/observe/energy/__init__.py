"""What the machine uses: meters, their cost by the tariff, and which request each joule belongs to.

One thread reads the meters. Must not slow a request down or fail one.
"""
