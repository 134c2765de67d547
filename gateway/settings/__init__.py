"""`aduana.yaml` and `ADUANA_…` variables, read once and frozen. Every field says what it does.

Owns the outer shape of the configuration and its error messages. Rooms never see this: `app` hands each of them its
own small settings object.
"""

from gateway.settings.settings import DEFAULT_FILE, Settings, load_settings, read_secret

__all__ = ["DEFAULT_FILE", "Settings", "load_settings", "read_secret"]
