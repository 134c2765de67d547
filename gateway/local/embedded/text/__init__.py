"""From requests to tokens and from tokens to text: chat templates, detokenizer, thinking, tool calls, stop strings.

Owns the vocabulary and the template of a model on the gateway's side. Must not know processes, sockets or which model
is in memory.
"""
