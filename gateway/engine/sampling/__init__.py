"""From logits to tokens: the sampler, grammars, and the check of draft tokens against the model's own choice.

Must not touch the KV memory or the schedule; an answer depends on logits, seed and grammar alone.
"""
