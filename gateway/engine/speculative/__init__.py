"""Speculative decoding: draft tokens from n-grams or a small model, and whether checking them pays.

Owns the drafts and what was learned about them. Must not change an answer: draft tokens are only proposals, and the
sampler decides.
"""
