"""What is looked for: numbers with check digits, credentials, names, topics, networks and the user's own words.

A detector says where something stands and what it is. Must not judge what that means for a request.
"""
