"""Where gateways find an egress process of its own: a Unix socket, or a port that other machines reach."""

import socket
from pathlib import Path

from gateway.core.errors import ConfigurationError

_MODE = 0o660  # the group: the gateway
_WAITING = 512  # connections that wait for being taken


def unix_listener(path: Path) -> socket.socket:
    """Return a socket at `path` that its folder's users may open, in place of one that nobody listens on any more.

    Raises:
        ConfigurationError: There can be none.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket():
            path.unlink()
        listener.bind(str(path))
        path.chmod(_MODE)
        listener.listen(_WAITING)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ConfigurationError((f"egress.socket: {path}: {error.strerror or error}.",)) from error
    return listener


def network_listener(host: str, port: int) -> socket.socket:
    """Return a socket at a port of one address of this machine, or of all (empty).

    Raises:
        ConfigurationError: There can be none.
    """
    try:
        if host:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            listener = socket.create_server(found[0][4][:2], family=found[0][0], backlog=_WAITING)
        else:
            both = socket.has_dualstack_ipv6()
            family = socket.AF_INET6 if both else socket.AF_INET
            listener = socket.create_server(("", port), family=family, backlog=_WAITING, dualstack_ipv6=both)
    except OSError as error:
        raise ConfigurationError((f"egress.address: {host or '*'}:{port}: {error.strerror or error}.",)) from error
    listener.setblocking(False)
    return listener
