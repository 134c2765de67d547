"""The embedded target: a model that this machine runs itself, in a worker process of its own.

Turns requests into tokens and what the worker sends into deltas. Must not take a clearance, or import llama.cpp.
"""
