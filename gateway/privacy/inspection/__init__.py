"""Every string of a document, in every view, through every detector, within a budget of time and characters.

Never raises: what can't be read is a doubt.
"""
