"""Targets whose server the gateway starts and stops itself: llama-server, sd-server, vLLM, anything on HTTP.

Owns the process, its port, its secret and its life. How such a server is asked is `gateway.local.http`; whether its
memory is free is decided in `gateway.local.models`. Must not log what a server prints once it has been asked something.
"""
