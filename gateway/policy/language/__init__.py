"""The policy language as data: rules, conditions, facts and units.

Owns what the words of the language mean. Must not read YAML or look at a request.
"""
