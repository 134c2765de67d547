"""`aduana serve`: run the gateway until a signal says stop."""

import argparse
import asyncio
import contextlib
import gc
import importlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import gateway.lean_structlog  # noqa: F401 - before anybody else imports structlog
from gateway.app.egress.clouds import only_for_clouds
from gateway.app.models.engine import require_engine
from gateway.app.service.allocator import keep_few_arenas
from gateway.app.service.descriptors import raise_limit
from gateway.app.service.manager import ServiceManager, handed_sockets, service_manager, where_it_listens
from gateway.app.workers.member import Member, member
from gateway.cli.starter import unpack_missing_starter
from gateway.core.errors import ConfigurationError, Unavailable
from gateway.egress.keys import begin_without, handed_keys
from gateway.settings import Settings, load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("serve", help="run the gateway", description="Run the gateway.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument("--policy", type=Path, action="append", metavar="FILE", help="policy file; overrides 'policy:'")
    parser.add_argument("--host", help="address to listen on; overrides server.host")
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="go on without a ledger or key that was lost: what was sensitive and what was spent is then forgotten",
    )
    parser.add_argument("--port", type=int, help="port to listen on; overrides server.port; 0: a free one")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that answer; overrides server.workers")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop, and return 0 after a clean stop, 2 when it can't start."""
    worker = member()
    given = load_settings(args.config)
    begin_without(only_for_clouds(given))
    manager, sockets = service_manager(), handed_sockets()
    if worker is not None:
        settings = _with_options(given, args, worker.listens)
        with settings.places.told():
            return _run(settings, worker.manager, (), worker, accept_loss=worker.accept_loss)
    settings = _with_options(given, args, where_it_listens(sockets, given.server.allowed_hosts))
    with settings.places.told():
        if settings.server.workers > 1:
            return _supervise(settings, manager, sockets, accept_loss=args.accept_loss)
        return _run(settings, manager, sockets, accept_loss=args.accept_loss)


def _supervise(
    settings: Settings, manager: ServiceManager, sockets: Sequence[socket.socket], *, accept_loss: bool
) -> int:
    """Run several processes that answer, and return the exit code.

    Raises:
        AduanaError: The address or the state directory can't be had.
    """
    from gateway.app.workers.supervisor import supervise

    with _listening_told(settings):
        return supervise(settings, manager, sockets, handed_keys(), accept_loss=accept_loss)


def _with_options(settings: Settings, args: argparse.Namespace, listens: Mapping[str, Any]) -> Settings:
    """Return the settings with what the command says, and with what follows from the sockets of systemd.

    Raises:
        ConfigurationError: They say what can't be.
    """
    given: dict[str, Any] = {
        name: value
        for name, value in (("host", args.host), ("port", args.port), ("workers", args.workers))
        if value is not None
    }
    options: dict[tuple[str | int, ...], str] = {("server", name): f"--{name}" for name in given}
    values: dict[str, Any] = {}
    given |= listens
    options |= {("server", name): "the socket that systemd hands over" for name in listens}
    if given:
        try:
            values["server"] = type(settings.server).model_validate(settings.server.model_dump() | given)
        except ValidationError as error:
            problems = [f"{options.get(('server', *one['loc']), 'server')}: {one['msg']}." for one in error.errors()]
            raise ConfigurationError(tuple(problems)) from error
    if args.policy:
        values["policy"] = tuple(args.policy)
        options["policy",] = "--policy"
    return settings.overridden(values, options)


def _run(
    settings: Settings,
    manager: ServiceManager,
    sockets: Sequence[socket.socket],
    worker: Member | None = None,
    *,
    accept_loss: bool,
) -> int:
    keep_few_arenas()
    require_engine(settings)
    unpack_missing_starter(settings)
    # Whoever reads JSON lines is a machine.
    tell = partial(print, flush=True) if settings.log.format == "console" else None
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with _listening_told(settings), runner:
        runner.run(_serve(settings, tell, manager, sockets, worker, accept_loss=accept_loss))
    return 0


@contextlib.contextmanager
def _listening_told(settings: Settings) -> Iterator[None]:
    """Say what to do where an address can't be had.

    Raises:
        ConfigurationError: An address of the configuration can't.
        Unavailable: The system fails otherwise.
    """
    try:
        yield
    except OSError as error:
        host, _, port = str(error.filename or "").rpartition(":")
        if host != settings.server.host or not port.isdigit():
            raise Unavailable(f"The gateway can't go on: {error}.") from error
        from gateway.app.preflight.network import listening_problem

        raise ConfigurationError((listening_problem(settings, int(port), error),)) from error


async def _serve(
    settings: Settings,
    tell: Callable[[str], None] | None,
    manager: ServiceManager,
    sockets: Sequence[socket.socket],
    worker: Member | None,
    *,
    accept_loss: bool,
) -> None:
    """Let the engine begin, import the gateway meanwhile, and run it.

    Raises:
        AduanaError: The configuration or the ledger can't be used.
        OSError: The address can't be had.
    """
    from gateway.app.models.head_start import HeadStart  # imports much: not before the keys are out of here

    early = HeadStart(settings, worker.lock if worker is not None else None)
    try:
        early.begin()
        await asyncio.to_thread(_import_gateway)
        from gateway.app.wiring import serve

        raise_limit()
        await serve(settings, early, tell, accept_loss=accept_loss, manager=manager, sockets=sockets, worker=worker)
    finally:
        await early.close()


def _import_gateway() -> None:
    """Import everything, without looking for garbage in it: nearly all of it stays."""
    gc.disable()
    try:
        importlib.import_module("gateway.app.wiring")
    finally:
        gc.freeze()  # nor is it looked through while requests are served
        gc.enable()
