"""The key that signs checkpoints: made once, kept in the state directory."""

import secrets
from pathlib import Path

from gateway.app.durable_file import write_durably
from gateway.core.errors import ConfigurationError
from gateway.ledger.chain.signing import SEED_BYTES, Signer

KEY_FILE = "checkpoint.key"


def load_signer(state_dir: Path, *, make: bool = True) -> Signer | None:
    """Return the key, and make it where there is none yet; None: there is none, and none was to be made.

    Raises:
        ConfigurationError: It can't be read or written, or is damaged.
    """
    path = state_dir / KEY_FILE
    try:
        if not path.exists():
            if not make:
                return None
            write_durably(path, secrets.token_bytes(SEED_BYTES))
        seed = path.read_bytes()
    except OSError as error:
        problem = f"{path}: can't be used: {error.strerror}. No checkpoints are signed."
        raise ConfigurationError((problem,)) from error
    if len(seed) != SEED_BYTES:
        # With a new key, whoever has the old public key would doubt every later checkpoint: a person has to know.
        problem = (
            f"{path}: is damaged ({len(seed)} bytes, not {SEED_BYTES}), so no checkpoints are signed. Restore it from "
            "a backup; or delete it, and give the new public key ('aduana audit key') to whoever has the old one."
        )
        raise ConfigurationError((problem,))
    return Signer(seed)
