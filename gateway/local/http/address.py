"""Decide which addresses count as the user's own network. Pure.

`zone: local` is what lets sensitive requests through, so it must not rest on a line in a file alone: a public address
is refused unless the configuration says that it is trusted, and the check is made on the address that is really
connected, whatever a name resolved to before (DNS rebinding).
"""

import ipaddress
from urllib.parse import urlsplit

_OWN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def is_own_address(text: str) -> bool:
    """Say whether an address is loopback, private (RFC 1918), link-local or unique local (RFC 4193)."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _OWN)


def literal_address(url: str) -> str | None:
    """Return the IP address that stands in `url`; None if it has a name instead."""
    host = urlsplit(url).hostname or ""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return None
