"""Gate to llama.cpp: bindings, parameters, model, vocabulary, embeddings, GGUF headers and memory footprints.

Owns every call into llama.cpp, and checks everything first that would make it abort. Must not know requests, scheduling
or sockets.
"""
