"""Aduana: the one address between your apps, your own GPU and the cloud."""

__version__ = "0.1.0"
