"""Keys are taken out of the environment that anybody may look at."""

import subprocess
import sys

_SCRUBBING = """
import os
from pathlib import Path
from gateway.egress.keys import scrub
scrub(["SOME_KEY", "NOT_SET"])
print("SOME_KEY" in os.environ, os.getenv("OTHER"), b"sk-very-secret" in Path("/proc/self/environ").read_bytes())
"""


def test_a_key_leaves_the_environment_and_what_the_system_shows_of_it() -> None:
    """After scrubbing, neither the process nor /proc has the key; other variables stay."""
    environment = {"SOME_KEY": "sk-very-secret", "OTHER": "stays", "PYTHONPATH": ":".join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", _SCRUBBING], capture_output=True, text=True, env=environment, check=True
    )
    assert ran.stdout.split() == ["False", "stays", "False"]
