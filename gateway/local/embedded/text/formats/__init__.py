"""Formats of answers: how a model marks its thoughts and tool calls, learnt from its chat template. Pure.

Owns the description of a format (`answer_format`), how it is read off a template (`derive`, `known`), the reader of
answers in pieces (`reader` and the readers of arguments) and the grammar that holds a model to it. Must not know
tokens, requests or the worker.
"""
