"""Everything on this machine that the wizard can start from. Looks, and changes nothing."""

import asyncio
import importlib.metadata
import importlib.util
import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.cli.init.candidates import Candidate, candidates
from gateway.cli.init.clouds import CloudKey, keys_in
from gateway.local.embedded.models.files import STARTER_DISTRIBUTION, models
from gateway.setup.machine import Machine, this_machine
from gateway.setup.model_files import find_models
from gateway.setup.servers import RunningServer, ports_to_ask, running_servers

USUAL_PORT = 8484
_PORTS = 16  # that are tried, from the usual one on


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What there is. `port`: one that is free; `engine`: llama.cpp is installed; `files`: how many GGUF files."""

    machine: Machine
    engine: bool
    servers: tuple[RunningServer, ...]
    files: int
    candidates: tuple[Candidate, ...]
    keys: tuple[CloudKey, ...]
    port: int


def look(environ: Mapping[str, str], models_dir: Path) -> Findings:
    """Look at this machine: hardware, servers, model files, names of variables with keys, a free port."""
    machine = this_machine()
    servers = asyncio.run(running_servers(ports_to_ask(environ)))
    stored = find_models(environ)
    own = models(models_dir)
    found = candidates(machine, servers, own, stored, starter=_starter_installed())
    return Findings(
        machine=machine,
        engine=importlib.util.find_spec("llama_cpp") is not None,
        servers=tuple(servers),
        files=len(stored) + len(own),
        candidates=tuple(found),
        keys=keys_in(environ),
        port=free_port(USUAL_PORT),
    )


def free_port(first: int) -> int:
    """Return the first port from this one on at which nothing listens; this one where all are taken."""
    for port in range(first, first + _PORTS):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return first


def _starter_installed() -> bool:
    try:
        importlib.metadata.distribution(STARTER_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
