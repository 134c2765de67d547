"""The engine: one worker process a model, llama.cpp inside. Only `llama/bindings.py` touches `llama_cpp`.

Owns scheduling, decoding, sampling, the prompt cache and embeddings, in token ids. Must not know texts, policies,
dialects or HTTP; only `gateway.local` imports it.
"""
