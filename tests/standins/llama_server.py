"""llama.cpp's own server out of the package xllamacpp, in a process of its own: where no llama-server was built.

    python -m tests.standins.llama_server PORT MODEL CONTEXT SLOTS THREADS [unified]

CONTEXT is that of one slot. The package's llama.cpp may be another version than ours, and its wheel for CPUs leaves out
what only some of them have. It asks for the key in LLAMA_API_KEY, where there is one, as llama-server does.
"""

import importlib
import importlib.util
import os
import sys
import threading
from typing import Any

from tests.standins.machine import repack_works


def is_installed() -> bool:
    """Whether the package is there: pip install xllamacpp."""
    return importlib.util.find_spec("xllamacpp") is not None


def main(port: int, model: str, context: int, slots: int, threads: int, unified: bool) -> None:
    """Serve until the process is ended."""
    package: Any = importlib.import_module("xllamacpp")
    params = package.CommonParams()
    params.model.path = model
    params.port = port
    params.api_keys = [key for key in [os.environ.get("LLAMA_API_KEY")] if key]
    params.n_ctx, params.n_parallel, params.kv_unified = slots * context, slots, unified
    params.fit_params = False
    params.no_extra_bufts = not repack_works()
    if threads:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = package.Server(params)
    print(f"listening on {server.listening_address}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]), given[1], *map(int, given[2:5]), unified="unified" in given[5:])
