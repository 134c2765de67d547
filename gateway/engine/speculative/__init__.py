"""Speculative decoding: draft tokens from n-grams, a draft head or a small model, and whether checking them pays.

Owns the drafts and what was learned about them. Must not change an answer: draft tokens are only proposals, and the
sampler decides.
"""
