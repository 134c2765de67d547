"""`python -m gateway.engine.probe`: compute with this build of llama.cpp, and print as JSON what it can use.

To be run in a process of its own, which a build that does not fit the machine ends by a signal. `--no-repack` leaves
the weights as they stand in the file, as the engine does where repacked ones crash.
"""

import ctypes
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway.engine.llama.bindings import C
from gateway.engine.llama.faults import EngineFault
from gateway.engine.llama.model import Model, can_use_gpu
from gateway.engine.llama.tiny_model import write_tiny_model
from gateway.engine.scheduler.step import Row
from gateway.engine.settings import EngineSettings
from gateway.engine.worker.warm_up import warm_up

_STEPS = 20
_TYPES = {0: "cpu", 1: "gpu", 2: "igpu", 3: "accelerator"}  # enum ggml_backend_dev_type of ggml-backend.h


def main(arguments: list[str]) -> int:
    """Try the build, print what was found, and return 0; 1 where it can't compute, which `problem` then explains."""
    try:
        found = {"devices": devices(), "system": C.llama_print_system_info().decode()}
        found |= {"gpu": can_use_gpu()} | compute(repack="--no-repack" not in arguments)
    except (ImportError, EngineFault) as error:
        found = {"problem": str(error)}
    sys.stdout.write(json.dumps(found))
    return 1 if "problem" in found else 0


def compute(*, repack: bool) -> dict[str, Any]:
    """Compute a prompt and single tokens with a tiny model, as the engine would.

    Raises:
        EngineFault: llama.cpp can't load it, refuses to compute, or gives no numbers.
    """
    with tempfile.TemporaryDirectory(prefix="aduana-probe-") as folder:
        path = write_tiny_model(Path(folder) / "tiny.gguf")
        begun = time.perf_counter()
        model = Model(EngineSettings(model=str(path), context=256, slots=1, batch=128, repack=repack), 1)
        warm_up(model, 1)
        loaded = time.perf_counter()
        for position in range(_STEPS):
            model.decode((Row(slot=0, position=position, tokens=(5,), outputs=1),))
        ended = time.perf_counter()
    return {"load_seconds": round(loaded - begun, 3), "step_ms": round(1000 * (ended - loaded) / _STEPS, 3)}


def devices() -> list[dict[str, Any]]:
    """List what ggml can compute on: the CPU, and cards that a backend of this build sees."""
    ggml = _library()
    ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    ggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    found = []
    for number in range(ggml.ggml_backend_dev_count()):
        device = ctypes.c_void_p(ggml.ggml_backend_dev_get(number))
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        found.append(
            {
                "name": _words(ggml.ggml_backend_dev_name, device),
                "description": _words(ggml.ggml_backend_dev_description, device).strip(),
                "type": _TYPES.get(ggml.ggml_backend_dev_type(device), "other"),
                "memory": total.value,
            }
        )
    return found


def _library() -> Any:
    """Return ggml's library, which has no bindings; what it needs is in memory since `C` was used."""
    C.llama_backend_init()
    return importlib.import_module("llama_cpp._ggml").libggml


def _words(function: Any, device: ctypes.c_void_p) -> str:
    function.restype = ctypes.c_char_p
    return (function(device) or b"").decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
