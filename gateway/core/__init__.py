"""Frozen data that crosses rooms: requests, deltas, labels, money, errors, events. No I/O, no clock, no log."""
