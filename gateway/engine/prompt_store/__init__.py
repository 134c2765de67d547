"""Where the states of sequences that left their slot are kept: RAM, and behind it an encrypted disk.

Keeps and returns bytes under keys. Must not decide what is kept, or for how long: that is the scheduler's.
"""
