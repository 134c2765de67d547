"""`aduana egress`: the way out to clouds as a process of its own, for a user of its own (`egress: {process: unit}`)."""

import argparse
from pathlib import Path

from gateway.app.egress.running import unit_setup
from gateway.app.service.manager import service_manager
from gateway.core.errors import ConfigurationError
from gateway.settings import load_settings


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


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop, and return 0 after a clean stop.

    Raises:
        ConfigurationError: It can't start.
    """
    manager = service_manager()
    settings = load_settings(args.config)
    with settings.places.told():
        if settings.egress.process != "unit" or settings.egress.socket is None:
            raise ConfigurationError(
                ("egress.process: it is not 'unit', so the gateway starts this process by itself, or needs none.",)
            )
        setup = unit_setup(settings)
        from gateway.egress.process.keeper import read_keys

        keys, problems = read_keys(setup)
        if problems:
            raise ConfigurationError(problems)
        from gateway.egress.process.running import serve_unit

        serve_unit(settings.egress.socket, setup, keys, manager.ready)
    return 0
