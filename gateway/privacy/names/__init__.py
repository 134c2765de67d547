"""Names of people: which of them are a private person's affair, and what else such a person is called in a text.

Pure. Knows texts and places in them; must not know the model that finds names, requests or policies.
"""
