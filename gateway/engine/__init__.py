"""Worker process that runs one model with llama.cpp. Only `llama/bindings.py` touches `llama_cpp`.

Owns scheduling, decoding, sampling, speculative decoding, the prompt cache and embeddings, all in token ids. Must not
know texts, policies, dialects or HTTP; only `gateway.local` imports it.
"""
