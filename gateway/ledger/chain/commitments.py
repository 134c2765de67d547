"""What a link commits to: the SHA-256 of a random salt and of a record, written in one way only.

Without the salt nobody can find out by guessing what the record said; with it, anybody can check a record that is still
there. A commitment is the SHA-256 of the salt's 16 bytes and this JSON, without blanks, in UTF-8:

    ["receipt",    values of `RECEIPT`…,    [name, value] of each later column that is not its default…]
    ["settlement", values of `SETTLEMENT`…, [[target, error] of each failed try…], [name, value]…]

where `["server", name]` stands last for a target with several servers.

Facts (as they came, not as the ledger packs them) and the hash of a conversation are bytes, and stand there in base64;
numbers as short as they can be read back exactly.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

SALT_BYTES = 16

RECEIPT = (
    "request_id", "received_at", "dialect", "endpoint", "key", "user", "model", "stream", "label", "label_source",
    "tags", "categories", "doubts", "rule", "permitted", "refusal", "prompt_tokens", "policy_digest", "facts", "shadow",
    "budget", "masked",
)  # fmt: skip
SETTLEMENT = (
    "settled_at", "outcome", "target", "zone", "error", "input", "input_cached", "output", "reasoning", "estimated",
    "cost_micros", "avoided_micros", "first_token_seconds", "duration_seconds",
)  # fmt: skip

# Columns that came later, with the value that older rows have. They are committed to only where they have another one,
# so that older commitments still hold.
LATER_IN_RECEIPT: Mapping[str, object] = MappingProxyType({"conversation": None})
LATER_IN_SETTLEMENT: Mapping[str, object] = MappingProxyType({})

_AT_ONCE = 64
_SALTS: list[bytes] = []  # drawn and not used yet: for each draw other threads get the interpreter for a while
_encode = msgspec.json.Encoder().encode


def new_salt() -> bytes:
    """Return a salt for one request's commitments."""
    try:
        return _SALTS.pop()
    except IndexError:
        drawn = os.urandom(_AT_ONCE * SALT_BYTES)
        _SALTS.extend([drawn[start : start + SALT_BYTES] for start in range(SALT_BYTES, len(drawn), SALT_BYTES)])
        return drawn[:SALT_BYTES]


def receipt_commitment(salt: bytes, values: Sequence[object]) -> bytes:
    """Return the commitment of a receipt. `values`: those of `RECEIPT`, then those of `LATER_IN_RECEIPT`."""
    size = len(RECEIPT)
    return _commitment(salt, ["receipt", *values[:size], *_changed(LATER_IN_RECEIPT, values[size:])])


def settlement_commitment(
    salt: bytes, values: Sequence[object], attempts: Sequence[Sequence[str]], server: str | None
) -> bytes:
    """Return the commitment of a settlement.

    Args:
        salt: The salt of its receipt.
        values: Those of `SETTLEMENT`, then those of `LATER_IN_SETTLEMENT`.
        attempts: Target and error code of each failed try.
        server: Which of the target's servers answered, where it has several.
    """
    size = len(SETTLEMENT)
    changed = _changed(LATER_IN_SETTLEMENT, values[size:])
    if server:
        changed.append(("server", server))
    return _commitment(salt, ["settlement", *values[:size], attempts, *changed])


def _commitment(salt: bytes, content: Sequence[object]) -> bytes:
    return hashlib.sha256(salt + _encode(content)).digest()


def _changed(later: Mapping[str, object], values: Sequence[object]) -> list[tuple[str, object]]:
    return [(name, value) for (name, default), value in zip(later.items(), values, strict=True) if value != default]
