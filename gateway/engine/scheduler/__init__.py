"""Continuous batching: which request has which slot, what each step computes, what leaves the KV memory. Pure.

Owns slots, sequences, fairness between apps and the index of the prompt cache; decides and returns data. Must not have
a clock, I/O or llama.cpp: the worker carries the steps out.
"""
