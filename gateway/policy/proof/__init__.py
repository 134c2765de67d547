"""What holds for every request that could come: claims proved by a solver, expectations, and static checks.

Must not be needed for a decision: z3 is loaded where a policy is checked.
"""
