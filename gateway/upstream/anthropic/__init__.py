"""Anthropic's Messages API as targets speak it: chat documents → their requests, their events → deltas. Pure.

Source: Anthropic's API reference (Messages, streaming, extended thinking, prompt caching). Whatever a request says
stands in the chat document, which is what was inspected; nothing else has a way into it.
"""
