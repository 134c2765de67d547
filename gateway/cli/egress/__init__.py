"""`aduana egress`: the way out to clouds as a process of its own, for a user of its own (`egress: {process: unit}`)."""

import argparse
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gateway.lean_structlog  # noqa: F401 - before anybody else imports structlog
from gateway.app.egress.running import secured, unit_setup
from gateway.app.service.descriptors import raise_limit
from gateway.app.service.manager import service_manager
from gateway.core.errors import ConfigurationError
from gateway.settings import load_settings
from gateway.settings.egress import EgressConfig


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "egress",
        help="run the way out to clouds as a process of its own",
        description="Runs the process that alone has the clouds' keys and connects to them, where the configuration "
        "says 'egress: {process: unit}'. It sends what comes with a clearance that the gateway has signed, and nothing "
        "else. docs/seal.md shows how two users and the kernel make that a wall. Without 'unit' the gateway starts "
        "this process by itself.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument(
        "--host",
        default="",
        help="address of this machine to listen on, where egress.address names a port; default: all",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop, and return 0 after a clean stop.

    Raises:
        ConfigurationError: It can't start.
    """
    manager = service_manager()
    settings = load_settings(args.config)
    with settings.places.told():
        egress = settings.egress
        if egress.process != "unit":
            raise ConfigurationError(
                ("egress.process: it is not 'unit', so the gateway starts this process by itself, or needs none.",)
            )
        setup = unit_setup(settings)
        tls = secured(egress) if egress.tls is not None else None
        from gateway.egress.process.keeper import read_keys

        keys, problems = read_keys(setup)
        if problems:
            raise ConfigurationError(problems)
        from gateway.egress.process.running import Unit, serve_unit

        raise_limit()  # two for each answer: the gateway's connection, and the cloud's
        place, listen = _listening(egress, args.host)
        drain = settings.server.drain_seconds
        unit = Unit(listen=listen, place=place, tls=tls, ready=manager.ready, drain_seconds=drain)
        serve_unit(unit, setup, keys)
    return 0


def _listening(egress: EgressConfig, host: str) -> tuple[str, Callable[[], socket.socket]]:
    """Return where gateways find this process, in words, and what begins to listen there."""
    from gateway.egress.process.listening import network_listener, unix_listener

    if egress.socket is not None:
        return str(egress.socket), partial(unix_listener, egress.socket)
    port = egress.host_and_port[1]
    return f"{host or '*'}:{port}", partial(network_listener, host, port)
