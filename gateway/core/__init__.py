"""Data that crosses rooms: requests, deltas, labels, usage, receipts, events, errors, and YAML with positions.

Owns these types; instances don't change after they were made. Must not do any I/O, ask a clock or write a log.
"""
