"""Sealing what is kept for conversations: AES-256-GCM under keys made from the state directory's secret.

Whoever has the database without that secret reads nothing; what was changed, or moved to another name, does not open.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.core.errors import LedgerUnavailable

_NONCE = 12  # bytes, random: 2³² sealings under one key before a repetition is likely enough to matter


class Seal:
    """Key that seals content for conversations. `name` is bound to what is sealed.

    Each purpose has a key of its own: what one has sealed does not open under another.
    """

    def __init__(self, secret: bytes, purpose: bytes = b"aduana masks 1") -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)
        self._cipher = AESGCM(key)

    def seal(self, content: bytes, name: bytes) -> bytes:
        """Return the sealed content, 28 bytes longer."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, name)

    def open(self, sealed: bytes, name: bytes) -> bytes:
        """Return the content of what was sealed.

        Raises:
            LedgerUnavailable: It was not sealed under this key and name, or was changed.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name)
        except (InvalidTag, ValueError) as error:
            raise LedgerUnavailable("What was sealed for a conversation can't be opened.") from error
