"""OpenAI's Responses API as targets speak it: chat documents → their requests, their events → deltas. Pure.

Nothing is ever stored there: each request says `store: false` and carries the whole conversation, with the thoughts
that the provider sealed. Source: OpenAI's API reference (Responses, streaming events, reasoning).
"""
