"""Targets in the local zone: the embedded engine and HTTP servers in the user's own network."""
