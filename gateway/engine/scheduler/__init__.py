"""Continuous batching: who is in which slot, what each step computes, what leaves the KV memory. Pure.

Decides and returns data. No clock, no I/O, no llama.cpp: the worker carries the steps out.
"""
