"""The engine: one worker process a model, llama.cpp inside. Only `llama/bindings.py` touches `llama_cpp`.

Owns scheduling, decoding, sampling and what a model needs of text (templates, tokens, tool calls). Must not know
policies, dialects or HTTP; only `gateway.local` imports it.
"""
