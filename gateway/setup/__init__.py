"""What is on this machine, for whoever sets the gateway up: hardware, model files, servers that run.

Looks, and changes nothing. Must not know configurations, policies or requests; `cli` shows what is found here.
"""
