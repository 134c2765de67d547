"""Proofs of policies for the running gateway: made by a process that ends, so that the solver's memory goes with it.

Owns what was proved before. Must not decide what a proof is: that is `policy/proof/`.
"""
