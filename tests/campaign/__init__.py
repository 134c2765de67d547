"""Leak campaign: thousands of random requests with planted values, while targets fail and processes die."""
