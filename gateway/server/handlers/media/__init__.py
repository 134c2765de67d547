"""Handlers of the endpoints whose questions or answers are no text.

They parse, ask the pipeline and encode, as all handlers do; must not know what a picture or a recording shows.
"""
