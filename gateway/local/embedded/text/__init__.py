"""Requests become prompts and tokens become text: chat templates, tokens, thinking, tool calls, stop strings.

Must not know processes, sockets or which model is in memory.
"""
