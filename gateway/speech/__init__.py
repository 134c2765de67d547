"""Worker process that hears: sound comes in over a socket, text with its times goes out.

Owns the model of one target and the decoding of sound files. Opens no connection, loads nothing from a hub, and knows
nothing of the gateway but the walls of `attachments/worker/sandbox`. Only `local/speech` talks to it; `local/espeak`
starts its encoder.
"""
