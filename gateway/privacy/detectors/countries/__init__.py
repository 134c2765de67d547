"""Numbers that countries give to people, firms and accounts: tables of data, and how a row becomes a detector.

Owns which word, shape and check count for a number. It must not check digits that python-stdnum checks.
"""
