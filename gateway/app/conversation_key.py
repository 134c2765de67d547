"""The secret key of the conversation hashes: made once, kept in the state directory, so taint survives restarts."""

import secrets
from pathlib import Path

from gateway.app.durable_file import write_durably
from gateway.core.errors import ConfigurationError

KEY_FILE = "taint.key"
_BYTES = 32


def load_conversation_key(state_dir: Path) -> bytes:
    """Return the key, and make it where there is none yet.

    Raises:
        ConfigurationError: It can't be read or written, or is damaged.
    """
    path = state_dir / KEY_FILE
    try:
        if not path.exists():
            write_durably(path, secrets.token_bytes(_BYTES))
        key = path.read_bytes()
    except OSError as error:
        problem = f"{path}: can't be used: {error.strerror}. The state directory must be writable."
        raise ConfigurationError((problem,)) from error
    if len(key) != _BYTES:
        # A new key would forget every sensitive conversation: that is for a person to decide.
        problem = (
            f"{path}: is damaged ({len(key)} bytes, not {_BYTES}). Restore it; or delete it, and with it the memory of "
            "which running conversations were sensitive."
        )
        raise ConfigurationError((problem,))
    return key
