"""Environment of worker processes: what libraries and Python read, never the keys that stand in the gateway's own."""

import os
import re
from pathlib import Path

import gateway

_INHERITED = (
    "PATH", "HOME", "LANG", "LC_", "TMPDIR", "XDG_", "VIRTUAL_ENV", "LD_", "DYLD_", "CUDA", "NVIDIA", "HIP", "ROCR",
    "HSA", "VK_", "GGML_", "LLAMA_", "OMP_", "GOMP_", "KMP_", "PYTHON",
)  # fmt: skip
# Such as NVIDIA_API_KEY, the key of a cloud.
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH")


def may_be_secret(name: str) -> bool:
    """Say whether a variable's name speaks of a secret, so that no other program gets it for how it begins."""
    return _SECRET.search(name.upper()) is not None


def worker_environment() -> dict[str, str]:
    """Return the variables that a worker inherits."""
    environment = {
        name: value for name, value in os.environ.items() if name.startswith(_INHERITED) and not may_be_secret(name)
    }
    root = str(Path(gateway.__file__).resolve().parent.parent)
    paths = [root, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    # INVARIANT: no worker runs what lies in the folder that the gateway was started in, where `python -m` looks first.
    environment["PYTHONSAFEPATH"] = "1"
    return environment
