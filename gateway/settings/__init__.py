"""`aduana.yaml` and `ADUANA_…` variables, read once and frozen. Every field says what it does.

Owns the outer shape of the configuration, its error messages, its JSON Schema and its page. Must not be seen by rooms:
`app` hands each of them a small settings object of its own.
"""

from gateway.egress.keys import read_secret
from gateway.settings.settings import DEFAULT_FILE, Settings, default_file, load_settings, own_folder

__all__ = ["DEFAULT_FILE", "Settings", "default_file", "load_settings", "own_folder", "read_secret"]
