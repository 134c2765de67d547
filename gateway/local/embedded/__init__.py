"""Embedded target: a model that this machine runs itself, in a worker process of its own.

Owns the worker processes and the memory that the models share; turns requests into tokens and what workers send into
deltas. Must not take a clearance, or import llama.cpp by itself.
"""
