"""Ports of a gateway that only starts: taken at once, and silent until somebody listens."""

import socket

import pytest

from gateway.app.service.sockets import bound_sockets


def test_connections_are_refused_until_somebody_listens() -> None:
    """A balancer that looks whether the gateway is there does not wait for one that only starts."""
    [one] = bound_sockets("127.0.0.1", [0])
    with one:
        address = one.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
        one.listen()
        socket.create_connection(address, timeout=5).close()


def test_an_address_that_can_not_be_had_is_told() -> None:
    """Another program listens there, both ports are the same, nobody knows the name: the error says which address."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use") as taken:
            bound_sockets("127.0.0.1", [0, port])
    assert taken.value.filename == f"127.0.0.1:{port}"
    with pytest.raises(OSError, match="in use") as twice:
        bound_sockets("127.0.0.1", [port, port])
    assert twice.value.filename == f"127.0.0.1:{port}"
    with pytest.raises(socket.gaierror) as unknown:
        bound_sockets("no-such-host.invalid", [8484])
    assert unknown.value.filename == "no-such-host.invalid:8484"
