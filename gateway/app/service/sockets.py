"""Sockets bound before anybody listens on them: the ports of a gateway whose workers are only about to start."""

import errno
import os
import socket
from collections.abc import Sequence
from typing import Any


def bound_sockets(host: str, ports: Sequence[int]) -> tuple[socket.socket, ...]:
    """Return a socket for each address and port, the main port's first. Until one listens, connections are refused.

    Raises:
        OSError: An address can't be had; its `filename` says which.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound: list[socket.socket] = []
    for number, port in enumerate(ports):
        try:
            if port and port in ports[:number]:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            bound += [_bound(family, address) for address in dict.fromkeys(one[4] for one in found)]
        except OSError as error:
            for one in bound:
                one.close()
            error.filename = f"{host}:{port}"
            raise
    return tuple(bound)


def _bound(family: int, address: Any) -> socket.socket:
    with _opened(family, address) as tried:
        tried.listen(1)  # to bind it tells nothing: where another program is bound too, both may be, and one may listen
    return _opened(family, address)


def _opened(family: int, address: Any) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened
