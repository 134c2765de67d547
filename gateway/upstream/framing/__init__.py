"""From an answer's raw bytes to its payloads: unpacking, events, JSON, whatever the content type says. Pure.

Must not know what a payload means.
"""
