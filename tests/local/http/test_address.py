"""Some addresses count as the user's own network, and all others do not."""

import pytest

from gateway.local.http.address import is_own_address, literal_address


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.20",
        "169.254.3.4",
        "::1",
        "fd12:3456::1",
        "fe80::1%eth0",
        "::ffff:192.168.1.1",
    ],
)
def test_own(address: str) -> None:
    """Loopback, private, link-local and unique local addresses are the user's own network."""
    assert is_own_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.15.0.1",
        "172.32.0.1",
        "192.169.0.1",
        "100.64.0.1",
        "198.18.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "2001:4860:4860::8888",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "localhost",
        "",
        "127.1",
    ],
)
def test_foreign(address: str) -> None:
    """All other addresses are foreign, carrier networks and translated addresses included."""
    assert not is_own_address(address)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8081/v1", "127.0.0.1"),
        ("http://[::1]:8081/v1", "::1"),
        ("https://8.8.8.8/v1", "8.8.8.8"),
        ("http://workstation:8081/v1", None),
        ("http://127.0.0.1.example.com/v1", None),
    ],
)
def test_literal(url: str, address: str | None) -> None:
    """An address in the URL needs no resolving; a name that looks like one does."""
    assert literal_address(url) == address
