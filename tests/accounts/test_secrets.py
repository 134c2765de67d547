"""Secrets of API keys: random, recognisable, and known by a digest that only their gateway can make."""

import re

from gateway.accounts.secrets import SecretDigest, is_mistyped, new_secret


def test_a_secret_is_random_and_recognisable():
    """Each is another one, of one shape, with more than 128 random bits, and may stand in any header or file."""
    made = {new_secret() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"adu_[0-9A-Za-z]{36}", secret) for secret in made)
    assert len({secret[4:34] for secret in made}) == 200  # 30 characters of 62 are 178 bits


def test_what_was_mistyped_is_told_without_asking_anybody():
    """A changed character, a cut or a longer secret is not one; what has another beginning is somebody else's."""
    secret = new_secret()
    other = "a" if secret[10] != "a" else "b"
    assert not is_mistyped(secret)
    for wrong in (secret[:-1], secret + "x", secret[:10] + other + secret[11:], "adu_", secret + "\n"):
        assert is_mistyped(wrong), wrong
    assert not is_mistyped("sk-" + secret)


def test_a_digest_needs_the_gateways_own_key():
    """Two gateways have different digests of one secret, so that neither's table opens the other."""
    secret = new_secret()
    here, there = SecretDigest(b"a" * 32), SecretDigest(b"b" * 32)
    assert here.of(secret) == SecretDigest(b"a" * 32).of(secret) != there.of(secret)
    assert len(here.of("\udcff")) == 32  # a header's bytes that are no UTF-8
