"""Signs checkpoints and checks their signatures: Ed25519. The one file here that needs `cryptography`."""

import base64
import hashlib
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gateway.core.errors import BadRequest
from gateway.ledger.chain.checkpoints import Checkpoint, ReadCheckpoints, parsed

SEED_BYTES = 32


class Signer:
    """Holder of the private key."""

    def __init__(self, seed: bytes) -> None:
        """Take the key's 32 random bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key()
        self.fingerprint = fingerprint(self.public)

    def sign(self, content: bytes) -> str:
        """Return the signature in base64."""
        return base64.b64encode(self._key.sign(content)).decode()


def fingerprint(public: Ed25519PublicKey) -> str:
    """Return a short name of a public key, for comparing by eye."""
    digest = hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()
    return "-".join(digest[at : at + 8] for at in range(0, 32, 8))


def public_pem(public: Ed25519PublicKey) -> str:
    """Return a public key as PEM, which other programs read too."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def read_public_key(content: bytes, place: str) -> Ed25519PublicKey:
    """Return the public key in a PEM file.

    Raises:
        BadRequest: It holds none of this kind.
    """
    try:
        key = load_pem_public_key(content)
    except ValueError as error:
        raise BadRequest(f"{place} is no public key. 'aduana audit key' prints one.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadRequest(
            f"{place} is a public key of another kind than Ed25519. 'aduana audit key' prints the right one."
        )
    return key


def read_checkpoints(lines: Iterable[bytes | str], keys: Sequence[Ed25519PublicKey]) -> ReadCheckpoints:
    """Sort out lines of checkpoints: whose signature is right under one of these keys?"""
    known = {fingerprint(key): key for key in keys}
    good: dict[tuple[str, int, int], Checkpoint] = {}
    forged = unreadable = foreign_lines = 0
    foreign: set[str] = set()
    for line in lines:
        if not line.strip():
            continue
        found = parsed(line)
        if found is None:
            unreadable += 1
        elif found.key not in known:
            foreign.add(found.key)
            foreign_lines += 1
        elif _is_signed(found, known[found.key]):
            good[found.chain, found.index, found.number] = found
        else:
            forged += 1
    return ReadCheckpoints(
        good=tuple(sorted(good.values(), key=lambda one: (one.number, one.index))),
        forged=forged,
        foreign=tuple(sorted(foreign)),
        foreign_lines=foreign_lines,
        unreadable=unreadable,
    )


def _is_signed(checkpoint: Checkpoint, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(base64.b64decode(checkpoint.signature, validate=True), checkpoint.signed())
    except (InvalidSignature, ValueError):
        return False
    return True
