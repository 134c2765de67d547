"""Decide which addresses count as the user's own network.

`zone: local` is what lets sensitive requests through, so it must not rest on a line in a file alone: a public address
is refused unless the configuration says that it is trusted, and the check is made on the address that is really
connected, whatever a name resolved to before (DNS rebinding).
"""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from gateway.core.errors import ConfigurationError, TargetMisconfigured

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


def not_local(target: str) -> TargetMisconfigured:
    """Return the error for an address outside the user's own network."""
    return TargetMisconfigured(
        f"The target {target!r} is declared 'zone: local', but its address is not in a private network. "
        "Use 'zone: cloud', or set 'trusted_host: true' if that machine is yours.",
        code="target_not_local",
    )


async def refuse_public_address(target: str, base_url: str, *, seconds: float, setting: str = "base_url") -> None:
    """Look at the address of a target that is declared local, and look its name up where it has one.

    Args:
        target: The target's name.
        base_url: Where it is asked.
        seconds: How long a name may take; one that is not known by then is no reason to refuse, for each connection is
            checked again. 0: no name is looked up.
        setting: Where the address stands in the target's configuration.

    Raises:
        ConfigurationError: The address is not in the user's own network.
    """
    literal = literal_address(base_url)
    if literal is not None:
        addresses = [literal]
    else:
        addresses = await _resolved(urlsplit(base_url).hostname or "", seconds) if seconds else []
    if not all(is_own_address(address) for address in addresses):
        raise ConfigurationError((f"targets.{target}.{setting}: {not_local(target).message}",))


async def _resolved(host: str, seconds: float) -> list[str]:
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return []  # a machine that is switched off
    return [str(info[4][0]) for info in found]
