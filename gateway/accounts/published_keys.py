"""The public keys that a provider of tokens publishes (JWKS), as they were last read.

INVARIANT: only public keys of asymmetric algorithms are taken over, each for the algorithms of its own kind.
"""

import asyncio
import base64
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import structlog

from gateway.accounts.token import TokenHead

LOG = structlog.get_logger("aduana.users")
Key: TypeAlias = Any  # joserfc's
_MOST_KEYS = 64
_LEAST_RSA_BITS = 2048
# Members of each kind that are taken over: the public ones, and no others.
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_KIND_OF = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", "")),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
ALGORITHMS = tuple(_KIND_OF)
"""All algorithms by which a provider's token may be signed."""


class PublishedKey(msgspec.Struct, frozen=True, kw_only=True):
    """One public key."""

    key: Key  # as `signatures.py` makes it
    kind: tuple[str, str]  # of key and curve
    key_id: str | None
    algorithm: str | None  # the only one it may be used with; None: all of its kind


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often keys are read, in seconds."""

    every: float
    retry: float  # after a reading that failed
    apart: float  # the least between two, whoever asks
    longest: float  # for how long keys count that could not be read again


class KeysUnavailable(Exception):
    """A provider's keys can't be had. The text says why, in a sentence for the owner."""


def parse_keys(data: bytes) -> tuple[PublishedKey, ...]:
    """Return the keys of a JWKS document that can check signatures.

    Raises:
        KeysUnavailable: It is none, or has no such key.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeysUnavailable("what stands there is no JSON") from error
    given = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(given, list):
        raise KeysUnavailable("what stands there has no list of 'keys' (it must be a JWKS document)")
    found = [key for one in given[:_MOST_KEYS] if isinstance(one, dict) and (key := _key(one)) is not None]
    if not found:
        raise KeysUnavailable("none of its keys can check the signature of a token")
    return tuple(found)


def _key(given: Mapping[str, object]) -> PublishedKey | None:
    kind = given.get("kty")
    if not isinstance(kind, str) or kind not in _MEMBERS or given.get("use", "sig") != "sig":
        return None
    members = {name: value for name in _MEMBERS[kind] if isinstance(value := given.get(name), str)}
    key_id, algorithm = given.get("kid"), given.get("alg")
    key = _imported(kind, members)
    if key is None:
        return None
    return PublishedKey(
        key=key,
        kind=(kind, members.get("crv", "")),
        key_id=key_id if isinstance(key_id, str) else None,
        algorithm=algorithm if isinstance(algorithm, str) else None,
    )


def _imported(kind: str, members: dict[str, str]) -> Key | None:
    """Return the key; None: it is damaged, too short or of a curve that is not known."""
    from gateway.accounts.signatures import public_key  # not where nobody publishes keys: see there

    if kind == "RSA" and _bits(members.get("n", "")) < _LEAST_RSA_BITS:
        return None
    return public_key(kind, members)


def _bits(number: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()


class PublishedKeys:
    """Owner of one provider's keys. `watch` keeps them fresh; a token with an unknown key lets them be read sooner."""

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[bytes | None]],
        pace: Pace,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep how the keys are read; none is known yet.

        Args:
            name: The provider's name in the configuration.
            read: Reads the document; None: it is as before. Raises KeysUnavailable.
            pace: How often it is read.
            clock: Seconds, never backwards.
        """
        self.name = name
        self.problem: str | None = None
        self._read = read
        self._pace = pace
        self._clock = clock
        self._keys: Sequence[PublishedKey] = ()
        self._read_at = 0.0
        self._begun_at: float | None = None
        self._reading = asyncio.Lock()

    @property
    def known(self) -> bool:
        """Return whether there are keys that still count."""
        return bool(self._keys) and self._clock() - self._read_at <= self._pace.longest

    def find(self, head: TokenHead) -> Key | None:
        """Return the key that a token must be signed with; None: it is not known, or there are several."""
        if not self.known:
            return None
        fitting = [
            one.key
            for one in self._keys
            if one.kind == _KIND_OF.get(head.algorithm)
            and one.algorithm in (None, head.algorithm)
            and head.key_id in (None, one.key_id)
        ]
        return fitting[0] if len(fitting) == 1 else None

    async def renew(self) -> None:
        """Read the keys, unless somebody just did. On any problem the old ones stay, and `problem` says why."""
        async with self._reading:
            if self._begun_at is not None and self._clock() - self._begun_at < self._pace.apart:
                return
            self._begun_at = self._clock()
            try:
                data = await self._read()
                keys = parse_keys(data) if data is not None else None
            except KeysUnavailable as error:
                self._fail(str(error))
                return
            if keys is not None:
                if self.problem is not None:
                    LOG.info("users.keys_available", name=self.name)
                self.problem, self._keys = None, keys
            if self.problem is None:
                self._read_at = self._clock()

    def _fail(self, problem: str) -> None:
        if problem != self.problem:
            LOG.warning("users.keys_unavailable", name=self.name, problem=problem)
        self.problem = problem

    async def watch(self) -> None:
        """Read the keys again and again. Runs until cancelled."""
        while True:
            await self.renew()
            await asyncio.sleep(self._pace.every if self.problem is None else self._pace.retry)

    async def expect(self, head: TokenHead, seconds: float) -> None:
        """Read the keys now, where a token is signed with one that is not known; wait no longer than `seconds`."""
        if self.find(head) is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.renew(), seconds)
