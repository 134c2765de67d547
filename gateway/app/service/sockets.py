"""Sockets bound before anybody listens on them, for the workers of one gateway, which accept from the same ones.

One queue for all rather than SO_REUSEPORT with one each: whoever is free takes the next connection, what waits in a
queue does not die with a worker, and a second gateway on the same port is refused as always.
"""

import socket
from collections.abc import Sequence


def bound_sockets(host: str, ports: Sequence[int]) -> tuple[socket.socket, ...]:
    """Return a socket for each address and port, the main port's first. Until one listens, connections are refused.

    Raises:
        OSError: An address can't be had; its `filename` says which.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound: list[socket.socket] = []
    for port in ports:
        try:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            bound += [_bound(family, address) for address in dict.fromkeys(one[4] for one in found)]
        except OSError as error:
            for one in bound:
                one.close()
            error.filename = f"{host}:{port}"
            raise
    return tuple(bound)


def _bound(family: int, address: object) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)  # type: ignore[arg-type]
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened
