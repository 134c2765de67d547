"""`aduana serve`: run the gateway until a signal says stop."""

import argparse
import asyncio
import gc
import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gateway.app.models.head_start import HeadStart
from gateway.cli.starter import unpack_missing_starter
from gateway.settings import Settings, load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("serve", help="run the gateway", description="Run the gateway.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml here, if any)")
    parser.add_argument("--policy", type=Path, action="append", metavar="FILE", help="policy file; overrides 'policy:'")
    parser.add_argument("--host", help="address to listen on; overrides server.host")
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="go on without a ledger or key that was lost: what was sensitive and what was spent is then forgotten",
    )
    parser.add_argument("--port", type=int, help="port to listen on; overrides server.port; 0: a free one")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop, and return 0 after a clean stop, 2 when it can't start."""
    settings = load_settings(args.config)
    listening: dict[str, Any] = {
        name: value for name, value in (("host", args.host), ("port", args.port)) if value is not None
    }
    updates: dict[str, Any] = {}
    if listening:
        updates["server"] = type(settings.server).model_validate(settings.server.model_dump() | listening)
    if args.policy:
        updates["policy"] = tuple(args.policy)
    settings = settings.model_copy(update=updates)
    unpack_missing_starter(settings)
    # Whoever reads JSON lines is a machine.
    tell = partial(print, flush=True) if settings.log.format == "console" else None
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    try:
        with runner:
            runner.run(_serve(settings, tell, accept_loss=args.accept_loss))
    except OSError as error:
        address = error.filename or f"{settings.server.host}:{settings.server.port}"
        print(
            f"aduana: can't listen on {address}: {error.strerror or error}. Use --port for another one, or change "
            "'server.ollama_port' if that is the one.",
            file=sys.stderr,
        )
        return 2
    return 0


async def _serve(settings: Settings, tell: Callable[[str], None] | None, *, accept_loss: bool) -> None:
    """Let the engine begin, import the gateway meanwhile, and run it.

    Raises:
        AduanaError: The configuration or the ledger can't be used.
        OSError: The address can't be had.
    """
    early = HeadStart(settings)
    try:
        early.begin()
        await asyncio.to_thread(_import_gateway)
        from gateway.app.wiring import serve
        from gateway.server.descriptors import raise_limit

        raise_limit()
        await serve(settings, early, tell, accept_loss=accept_loss)
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
