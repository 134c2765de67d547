"""The policy language as data: rules, conditions, facts and units.

Owns their meaning. Must not read YAML or look at a request.
"""
