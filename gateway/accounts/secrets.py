"""The secrets of API keys: how they are made, how a mistyped one is told, and the digest by which one is known.

A secret is `adu_`, 30 random characters of letters and digits (178 bits), and six more that are a checksum of the rest:
CRC-32 in base 62, as GitHub writes its tokens. So a scanner for secrets knows one without asking anybody.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

PREFIX = "adu_"
_ALPHABET = string.digits + string.ascii_letters
_RANDOM, _CHECK = 30, 6
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}\Z")
_PURPOSE = b"aduana api keys 1"


def new_secret() -> str:
    """Return a new secret."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return PREFIX + body + _checksum(body)


def is_mistyped(text: str) -> bool:
    """Return whether a text begins like a secret of ours and is none: cut, too long, or with another character."""
    if not text.startswith(PREFIX):
        return False
    body = text[len(PREFIX) : len(PREFIX) + _RANDOM]
    return _SHAPE.match(text) is None or text[len(PREFIX) + _RANDOM :] != _checksum(body)


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


class SecretDigest:
    """Digest of secrets: HMAC-SHA256 under a key of its own, made from the state directory's secret.

    Whoever has the digests and not that key can't try secrets. And whoever sends secrets can't choose their digests, so
    that looking one up in a table tells nothing by the time that it takes.
    """

    def __init__(self, secret: bytes) -> None:
        """Make the key. `secret`: the state directory's, or any random bytes for digests that are kept nowhere."""
        keyed = hmac.new(hmac.digest(secret, _PURPOSE, hashlib.sha256), digestmod=hashlib.sha256)
        self._keyed: hmac.HMAC = getattr(keyed, "_hmac", None) or keyed  # without its wrapper, where it has one

    def of(self, secret: str) -> bytes:
        """Return the digest of a secret (32 bytes)."""
        # A header's bytes need not be UTF-8: those that are not arrive as surrogates.
        # A copy: `hmac.digest` lets go of the interpreter, which other threads then have for a while.
        keyed = self._keyed.copy()
        keyed.update(secret.encode("utf-8", "surrogatepass"))
        return keyed.digest()
