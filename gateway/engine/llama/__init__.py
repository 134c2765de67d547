"""The one gate to llama.cpp: bindings, parameters, model, vocabulary, embeddings, GGUF headers and memory footprints.

Everything that would make llama.cpp abort is checked here first. Must not know requests, scheduling or sockets.
"""
