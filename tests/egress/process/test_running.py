"""What the egress process is made of: it starts with every gateway that asks clouds, so it is small."""

import subprocess
import sys

LOADED = """
import sys
import gateway.egress.process.running
unwanted = ("numpy", "onnxruntime", "pydantic_settings", "gateway.settings", "gateway.server")
print([name for name in unwanted if name in sys.modules])
"""


def test_it_loads_no_encoder_and_no_configuration() -> None:
    """What only the gateway computes with is not in the process that asks clouds."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
