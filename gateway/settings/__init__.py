"""`aduana.yaml` and `ADUANA_…` variables, read once and frozen. Every field says what it does.

Owns the outer shape of the configuration, its error messages, its JSON Schema and its page. Must not be seen by rooms:
`app` hands each of them a small settings object of its own.
"""

from gateway.settings.settings import DEFAULT_FILE, Settings, load_settings, read_secret

__all__ = ["DEFAULT_FILE", "Settings", "load_settings", "read_secret"]
