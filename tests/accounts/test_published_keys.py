"""The keys that providers publish: which are taken over, how they are kept fresh, and when they count no more."""

import asyncio
import json
from typing import Any

import pytest
from joserfc.jwk import OctKey

from gateway.accounts.published_keys import KeysUnavailable, Pace, PublishedKeys, parse_keys
from gateway.accounts.token import TokenHead
from tests.standins.identity_provider import ISSUER, SIGNERS, key_document


def head(kid: str | None, algorithm: str = "RS256") -> TokenHead:
    """Return what a token says of itself."""
    return TokenHead(issuer=ISSUER, algorithm=algorithm, key_id=kid)


class Source:
    """A document that can change and fail, and a clock that is moved by hand."""

    def __init__(self, document: bytes = key_document("rsa-1")) -> None:
        self.document = document
        self.failure = ""
        self.read = 0
        self.now = 1000.0

    async def __call__(self) -> bytes | None:
        self.read += 1
        if self.failure:
            raise KeysUnavailable(self.failure)
        return self.document

    def keys(self) -> PublishedKeys:
        """Return the owner of these keys."""
        pace = Pace(every=3600, retry=30, apart=10, longest=86_400)
        return PublishedKeys("auth", self, pace, clock=lambda: self.now)


def test_only_public_keys_that_can_check_signatures_are_taken_over() -> None:
    """Shared secrets, keys for encryption, short ones and damaged ones are left out, and private parts are not kept."""
    good = SIGNERS["rsa-1"][1].as_dict(private=True)
    others: list[Any] = [
        OctKey.import_key("s" * 40).as_dict(),
        {**SIGNERS["rsa-2"][1].as_dict(private=False), "use": "enc"},
        {**SIGNERS["rsa-2"][1].as_dict(private=False), "n": str(good["n"])[:171]},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "damaged"},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        "text",
        None,
    ]
    found = parse_keys(json.dumps({"keys": [*others, good]}).encode())
    assert [key.key_id for key in found] == ["rsa-1"]
    assert not found[0].key.is_private
    with pytest.raises(KeysUnavailable, match="none of its keys"):
        parse_keys(json.dumps({"keys": others}).encode())


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'{"keys": 7}', b"\xff", b"[" * 100_000])
def test_what_is_no_list_of_keys_is_told_so(data: bytes) -> None:
    """A page of HTML, an empty answer and deep nonsense are no keys."""
    with pytest.raises(KeysUnavailable):
        parse_keys(data)


async def test_a_key_counts_for_its_own_algorithms_alone() -> None:
    """Key and algorithm must fit, and where a token names no key there must be only one that fits."""
    source = Source(key_document("rsa-1", "rsa-2", "ec-1", "ed-1"))
    keys = source.keys()
    assert keys.find(head("rsa-1")) is None, "nothing was read yet"
    await keys.renew()
    assert keys.find(head("rsa-1")) is not None
    assert keys.find(head("ec-1", "ES256")) is not None
    assert keys.find(head("ed-1", "EdDSA")) is not None
    for kid, algorithm in [
        ("rsa-1", "ES256"),
        ("ec-1", "RS256"),
        ("ec-1", "ES384"),
        ("rsa-1", "HS256"),
        ("rsa-1", "none"),
    ]:
        assert keys.find(head(kid, algorithm)) is None
    assert keys.find(head(None)) is None, "two keys fit"
    assert keys.find(head(None, "ES256")) is not None
    named = {**SIGNERS["rsa-1"][1].as_dict(private=False), "alg": "PS256"}
    source.document, source.now = json.dumps({"keys": [named]}).encode(), 2000.0
    await keys.renew()
    assert keys.find(head("rsa-1")) is None
    assert keys.find(head("rsa-1", "PS256")) is not None


async def test_a_new_key_is_read_at_once_but_not_at_every_token() -> None:
    """An unknown key lets the document be read; a flood of tokens with invented keys lets it be read no more often."""
    source = Source()
    keys = source.keys()
    await keys.renew()
    source.document = key_document("rsa-1", "rsa-2")
    await keys.expect(head("rsa-1"), 1)
    assert source.read == 1, "a known key needs nothing"
    source.now += 10
    await asyncio.gather(*(keys.expect(head(f"invented-{number}"), 1) for number in range(50)))
    assert source.read == 2
    assert keys.find(head("rsa-2")) is not None


async def test_keys_outlive_a_failure_for_a_day() -> None:
    """While the provider is down its keys stay and the problem is said; after a day they count no more."""
    source = Source()
    keys = source.keys()
    await keys.renew()
    source.failure = "its host can't be reached"
    source.now += 86_000
    await keys.renew()
    assert keys.problem == "its host can't be reached"
    assert keys.find(head("rsa-1")) is not None
    source.now += 401
    assert not keys.known
    assert keys.find(head("rsa-1")) is None
    source.failure = ""
    await keys.renew()
    assert keys.problem is None
    assert keys.find(head("rsa-1")) is not None


async def test_a_key_that_is_withdrawn_counts_no_more() -> None:
    """What the document has no more is forgotten with its next reading."""
    source = Source(key_document("rsa-1", "rsa-2"))
    keys = source.keys()
    await keys.renew()
    source.document = key_document("rsa-2")
    source.now += 3600
    await keys.renew()
    assert keys.find(head("rsa-1")) is None
    assert keys.find(head("rsa-2")) is not None
