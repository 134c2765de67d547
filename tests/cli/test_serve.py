"""A gateway loads what its configuration needs, so that it starts quickly and takes little memory when idle."""

import subprocess
import sys

# What needs these: lines in colours, tokens of people, certificates, proofs, clouds, templates, models, long texts.
NEEDLESS = ("rich", "joserfc", "cryptography.x509", "z3", "openai", "jinja2", "onnxruntime", "PIL", "numpy", "psycopg")


def test_a_gateway_without_models_people_or_clouds_loads_nothing_for_them() -> None:
    """All that `aduana serve` imports before it reads what is configured; rich can still be imported behind it."""
    program = (
        "import sys, gateway.cli.serve, gateway.app.wiring\n"
        f"print(*[name for name in {NEEDLESS!r} if name in sys.modules])\n"
        "import rich.console"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
