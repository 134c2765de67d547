"""How long requests stay in the ledger, and the one way in which they leave it.

Owns the tables `removed_spending`, `removed_last` and `erasures`. Must not remove anything from which budgets, or the
memory of what is sensitive, would forget.
"""
