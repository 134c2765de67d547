"""The endpoints: parse, ask the pipeline, encode, one file a dialect; and those for whoever runs the gateway.

Must not decide anything or hold state.
"""
