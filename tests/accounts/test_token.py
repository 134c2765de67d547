"""Tokens: which count, and that those which don't are told why without a word of them."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.accounts.names import checked_name
from gateway.accounts.published_keys import parse_keys
from gateway.accounts.signatures import TokenCheck
from gateway.accounts.token import InvalidToken, groups_of, head_of, looks_like_token, user_of
from tests.standins.identity_provider import (
    AUDIENCE,
    ISSUER,
    SIGNERS,
    claims_of,
    key_document,
    shared,
    signed,
    token_of,
)

PUBLIC = parse_keys(key_document("rsa-1"))[0].key
CHECK = TokenCheck(issuer=ISSUER, audiences=(AUDIENCE, "other"), algorithms=("RS256",), now=time.time)
PRIVATE_NAME = "carmen.ruiz@example.org"


def part(value: Any) -> str:
    """Return one part of a token as it is written."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "claims",
    [
        lambda: claims_of(PRIVATE_NAME),
        lambda: claims_of(PRIVATE_NAME, aud=["web", AUDIENCE]),
        lambda: claims_of(PRIVATE_NAME, aud="other"),
        lambda: claims_of(PRIVATE_NAME, exp=time.time() - 30, nbf=time.time() + 30),
    ],
    ids=["plain", "one of several audiences", "another audience", "clocks that differ a little"],
)
def test_a_good_token_counts(claims: Callable[[], dict[str, Any]]) -> None:
    """Right signature, issuer, audience and times: its claims are believed."""
    assert user_of(CHECK.claims(signed(claims()), PUBLIC), "sub") == PRIVATE_NAME


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"exp": time.time() - 3600}, "expired"),
        ({"exp": None}, "lacks its end ('exp')"),
        ({"exp": "tomorrow"}, "lacks"),
        ({"exp": float("inf")}, "lacks"),
        ({"exp": True}, "lacks"),
        ({"nbf": time.time() + 3600}, "not valid yet"),
        ({"iat": time.time() + 3600}, "not valid yet"),
        ({"aud": "somebody-else"}, "another application"),
        ({"aud": None}, "lacks its audience ('aud')"),
        ({"aud": ["a", "b"]}, "another application"),
        ({"iss": "https://evil.example"}, "somebody else"),
        ({"iss": None}, "lacks its issuer ('iss')"),
    ],
)
def test_a_token_that_does_not_count_is_told_why(claims: dict[str, Any], told: str) -> None:
    """The reason is said, and nothing that stands in the token."""
    with pytest.raises(InvalidToken) as caught:
        CHECK.claims(token_of(PRIVATE_NAME, **claims), PUBLIC)
    assert told in caught.value.message
    assert caught.value.status == 401
    for secret in (PRIVATE_NAME, "somebody-else", "evil"):
        assert secret not in caught.value.message


def test_another_key_and_another_algorithm_do_not_count() -> None:
    """Forged, unsigned, and signed with the public key as if it were a shared secret: none counts."""
    good = token_of(PRIVATE_NAME)
    head, body, signature = good.split(".")
    pem = SIGNERS["rsa-1"][1].as_pem(private=False)
    forged = [
        token_of(PRIVATE_NAME, signer="rsa-2"),
        f"{part({'alg': 'none'})}.{body}.",
        f"{part({'alg': 'none'})}.{body}.{signature}",
        f"{head}.{part(claims_of('admin'))}.{signature}",
        f"{head}.{body}.{signature[:-6]}AAAAAA",
        shared(claims_of(PRIVATE_NAME), pem.decode()),
        shared(claims_of(PRIVATE_NAME), key_document("rsa-1").decode()),
    ]
    for token in forged:
        with pytest.raises(InvalidToken, match="signature"):
            CHECK.claims(token, PUBLIC)
    CHECK.claims(good, PUBLIC)


@pytest.mark.parametrize(
    ("header", "claims", "told"),
    [
        ({"typ": "logout+jwt"}, {}, "sign in with"),
        ({"typ": 7}, {}, "sign in with"),
        ({}, {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "sign in with"),
        ({"crit": ["exp"]}, {}, "extensions"),
        ({"b64": False}, {}, "extensions"),
        ({"kid": ["a"]}, {}, "names its key"),
    ],
)
def test_tokens_of_other_kinds_are_no_way_in(header: dict[str, Any], claims: dict[str, Any], told: str) -> None:
    """A logout token, one with unknown extensions and one with an odd key are refused before any key is looked at."""
    token = f"{part({'alg': 'RS256', **header})}.{part(claims_of(**claims))}.AAAA"
    with pytest.raises(InvalidToken, match=told):
        head_of(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk-1234",
        "eyJ.eyJ",
        "eyJhbGci.eyJpc3Mi.x.y",
        "eyJhbGci.eyJpc3Mi.AAA",
        f"{part([1])}.{part({})}.A",
        "a" * 20000,
    ],
)
def test_what_is_no_token_is_told_so(text: str) -> None:
    """Broken text, another number of parts, and parts that are no JSON object."""
    with pytest.raises(InvalidToken):
        head_of(text)


def test_keys_do_not_look_like_tokens() -> None:
    """API keys of this gateway and of providers are never taken for tokens."""
    assert looks_like_token(token_of())
    assert not any(looks_like_token(key) for key in ("adu_" + "a" * 36, "sk-ant-api03-abc", "eyJhbGciOi", "a.b.c"))


def test_claims_within_claims_are_found() -> None:
    """Dots lead into claims, a claim whose own name has dots comes first, and odd values are no group."""
    claims = {
        "realm_access": {"roles": ["staff", 7]},
        "https://example.org/groups": "one",
        "a.b": ["x"],
        "a": {"b": "y"},
    }
    assert groups_of(claims, "realm_access.roles") == ("staff",)
    assert groups_of(claims, "https://example.org/groups") == ("one",)
    assert groups_of(claims, "a.b") == ("x",)
    assert groups_of(claims, "nothing.here") == ()


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb", "a\x00b", None, 7, ["ana"], {"ana": 1}])
def test_names_that_cannot_be_shown_are_none(name: object) -> None:
    """A token that names nobody by the wanted claim is refused, and says which claim is missing."""
    assert checked_name(name) is None
    with pytest.raises(InvalidToken, match="'email'"):
        user_of({"email": name}, "email")
