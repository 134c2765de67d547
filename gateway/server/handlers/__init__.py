"""Endpoints, one file for each dialect, and those for whoever runs the gateway.

Each one parses a body, asks the pipeline and encodes the answer. Must not decide anything or hold state.
"""
