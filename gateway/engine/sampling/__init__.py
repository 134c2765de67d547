"""From logits to tokens: the sampler, grammars, and the check of draft tokens against the model's own choice.

Owns the random state and the grammar of each sequence. Must not touch the KV memory or the schedule; an answer depends
on logits, seed and grammar alone.
"""
