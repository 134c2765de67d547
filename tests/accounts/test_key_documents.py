"""Where keys are read: files that change, and addresses that are asked with care."""

import os
import ssl
from pathlib import Path

import pytest

from gateway.accounts.key_documents import KeyAddress, KeyFile, is_near
from gateway.accounts.published_keys import KeysUnavailable
from tests.faults.certificates import Authority as AuthorityByHand
from tests.standins.certificates import Authority
from tests.standins.identity_provider import StandInProvider, key_document


async def test_a_file_is_read_again_when_it_was_written_anew(tmp_path: Path) -> None:
    """The same file costs one look; a new one is read; one that is gone is a problem, also when the old one returns."""
    path = tmp_path / "jwks.json"
    path.write_bytes(key_document("rsa-1"))
    file = KeyFile(path)
    assert await file.read() == key_document("rsa-1")
    assert await file.read() is None
    (tmp_path / "new").write_bytes(key_document("rsa-2"))
    os.replace(tmp_path / "new", path)
    assert await file.read() == key_document("rsa-2")
    os.replace(path, tmp_path / "away")
    with pytest.raises(KeysUnavailable, match="No such file"):
        await file.read()
    os.replace(tmp_path / "away", path)
    assert await file.read() == key_document("rsa-2")


async def test_an_address_on_loopback_is_read_and_every_other_answer_is_a_problem() -> None:
    """Keys come without TLS from this machine; a redirect, an error and a flood of bytes do not count."""
    async with StandInProvider() as provider:
        address = KeyAddress(provider.url)
        assert await address.read() == provider.document
        provider.status, provider.headers = 302, {"Location": provider.url}
        with pytest.raises(KeysUnavailable, match="302"):
            await address.read()
        provider.status, provider.headers, provider.document = 200, {}, b"x" * 300_000
        with pytest.raises(KeysUnavailable, match="larger"):
            await address.read()
        asked = provider.asked
    with pytest.raises(KeysUnavailable, match="can't be reached"):
        await address.read()
    assert asked == 3


async def test_a_provider_behind_an_authority_of_ones_own_is_trusted_by_its_file(tmp_path: Path) -> None:
    """With `ca_file` its keys are read; without, they are not, and the problem says which setting to look at."""
    authority = Authority(tmp_path)
    authority.write(tmp_path / "cert.pem", tmp_path / "key.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with StandInProvider(tls) as provider:
        assert await KeyAddress(provider.url, authorities=authority.file).read() == provider.document
        with pytest.raises(KeysUnavailable, match="ca_file"):
            await KeyAddress(provider.url).read()
    with pytest.raises(KeysUnavailable, match="no certificate"):
        KeyAddress("https://auth.example.org", authorities=tmp_path / "key.pem")


async def test_an_authority_made_by_hand_is_trusted_with_every_python(tmp_path: Path) -> None:
    """They lack what Python's default asks for from 3.13 on; clouds may have them, and so may a provider."""
    authority = AuthorityByHand(tmp_path, by_hand=True)
    async with StandInProvider(authority.server()) as provider:
        assert await KeyAddress(provider.url, authorities=authority.file).read() == provider.document


async def test_without_tls_a_public_address_is_not_even_dialled() -> None:
    """An address without TLS outside the own network is refused before a byte leaves."""
    with pytest.raises(KeysUnavailable, match="must begin with https"):
        await KeyAddress("http://203.0.114.7:9/jwks.json").read()


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.1.20", True),
        ("10.0.0.1", True),
        ("100.100.1.2", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("::ffff:192.168.1.20", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
        ("2606:4700::1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("example.org", False),
    ],
)
def test_near_is_this_machine_and_private_networks(address: str, near: bool) -> None:
    """Private and shared ranges are near, the Internet's are not, also where one hides in the other."""
    assert is_near(address) is near
