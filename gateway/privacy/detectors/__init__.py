"""What is looked for: numbers with check digits, credentials, names, topics, networks and the user's own words.

Owns the patterns and their checks. A detector says where something stands and what it is; it must not judge what that
means for a request.
"""
