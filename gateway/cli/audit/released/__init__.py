"""What has to get out although it looks like something else, or came after something private: over-blocking is a fault.

Owns harmless requests, and the private ones before them. Must not hold anything that has to stay.
"""
