"""Topics that are somebody's own business by their words: what a lexicon proposes and its neighbours confirm.

Owns the words of health, money, law, work and plans, and of their owners. Must not look at the judge of sensitivity.
"""
