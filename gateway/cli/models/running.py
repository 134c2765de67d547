"""Actions of `aduana models` on what is here: list, unpack the starter model, ask and change the running gateway."""

import argparse
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from gateway.cli.lines import print_line
from gateway.cli.models.directory import directory_of
from gateway.cli.options import key_of
from gateway.cli.starter import shown_progress
from gateway.core.errors import AduanaError, BadRequest, ConfigurationError, Unavailable
from gateway.local.embedded.models.files import models, unpack_starter
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.settings import Settings, load_settings


def run(args: argparse.Namespace) -> int:
    """Carry out the action, and return 0, or 1 where a listed model can't be used."""
    match args.action:
        case "list":
            return _list(directory_of(args))
        case "starter":
            return _starter(directory_of(args))
        case "fit":
            return fits(load_settings(args.config))
        case _:
            target = getattr(args, "target", "")
            return tell(the_running(load_settings(args.config), args.url, key_of(args)), args.action, target, args.json)


def _list(directory: Path) -> int:
    found = models(directory)
    if not found:
        print_line(
            f"No models in {directory}. 'aduana models pull' downloads one, 'aduana models import' links one that "
            "another program has here, 'aduana models starter' unpacks a small one."
        )
        return 0
    for model in found:
        window = f", window {model.context}" if model.context else ""
        print_line(f"{model.name:24} {model.size / 1e6:10.1f} MB  {model.description}{window}")
        if model.problem:
            print_line(f"{'':24} {model.problem}")
    return 1 if any(model.problem for model in found) else 0


def _starter(directory: Path) -> int:
    path, fresh = unpack_starter(directory, shown_progress())
    print_line(f"The starter model is {'now' if fresh else 'already'} at {path}.")
    return 0


Ask: TypeAlias = Callable[[str, str], Any]  # method, path → the answer's JSON


def the_running(settings: Settings, url: str | None, key: str) -> Ask:
    """Return a function that asks the gateway at `url`, else at the configured address.

    Raises:
        BadRequest: `url` is no address.
    """
    base = (url or settings.server.url).rstrip("/")
    if not base.startswith(("http://", "https://")):
        raise BadRequest(f"{base!r} is not an address. Write http://127.0.0.1:8484.")

    def ask(method: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            request = urllib.request.Request(base + path, method=method, headers=headers)  # noqa: S310 - checked above
            with urllib.request.urlopen(request, timeout=660) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _told(error) from error
        except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
            raise Unavailable(f"No gateway answers at {base}: {error}. Is it running? --url names another.") from error

    return ask


def _told(error: urllib.error.HTTPError) -> AduanaError:
    try:
        message = str(json.load(error)["error"]["message"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, http.client.HTTPException):
        message = f"The gateway answered with status {error.code}."
    return AduanaError(message, status=error.code)


def tell(ask: Ask, action: str, target: str, as_json: bool) -> int:
    """Carry out `ps`, `show`, `load` or `unload`, and print what came of it."""
    if action == "show":
        return _show(_known(ask("GET", "/admin/models"), "ModelsReport"), target, as_json)
    if action != "ps":
        path = f"/admin/models/{urllib.parse.quote(target, safe='')}/{action}"
        report = _known(ask("POST", path), "ModelReport")
        print_line(json.dumps(report, indent=2) if as_json else f"{report['target']} is {report['state']}.")
        return 0
    report = _known(ask("GET", "/admin/models"), "ModelsReport")
    if as_json:
        print(json.dumps(report, indent=2))
        return 0
    for model in report["models"]:
        print_line(_line(model))
        if model["problem"]:
            print_line(f"{'':16} {model['problem']}")
    limit = "no limit" if report["memory"] is None else f"of {report['memory'] / 1e9:.1f} GB (engine.memory)"
    print_line(f"Memory taken: {report['memory_used'] / 1e9:.1f} GB, {limit}.")
    return 0


def _known(report: Any, kind: Literal["ModelReport", "ModelsReport"]) -> dict[str, Any]:
    """Return a report, if it is one that the gateway of this version gives.

    Raises:
        Unavailable: It is not.
    """
    from gateway.server.handlers import models as reports  # only for whoever asks a running gateway

    try:
        msgspec.convert(report, getattr(reports, kind))
    except msgspec.ValidationError as error:
        told = "What answers there is no gateway, or one of another version than this command. --url names another."
        raise Unavailable(told) from error
    return dict(report)


_REUSE = {
    "attention": "A changed prompt is read again from the change on.",
    "sliding_window": "A changed prompt is read again from the change on, or from the checkpoint before it.",
    "recurrent": "A running state: a changed prompt is read again from the checkpoint before the change.",
    "hybrid": "A running state in most layers: a changed prompt is read again from the checkpoint before the change.",
}


def _show(report: dict[str, Any], target: str, as_json: bool) -> int:
    """Print what one model's memory can do.

    Raises:
        BadRequest: no target with a model on this machine has that name.
    """
    model = next((model for model in report["models"] if model["target"] == target), None)
    if model is None:
        names = ", ".join(model["target"] for model in report["models"])
        raise BadRequest(f"There is no target {target!r} whose model is loaded here. There are: {names or 'none'}.")
    if as_json:
        print(json.dumps(model, indent=2))
        return 0
    print_line(_line(model))
    if model["sequences"] is None:
        loaded = model["state"] == "loaded"
        unknown = "Its memory of conversations is known once it is loaded, and if it makes text."
        print_line("It makes no text, and so it keeps no conversations." if loaded else unknown)
        return 0
    print_line(f"Memory of conversations: {model['sequences'].replace('_', ' ')}. {_REUSE[model['sequences']]}")
    if model["checkpoint_bytes"]:
        print_line(f"Checkpoints: {model['checkpoint_bytes'] / 1e6:.1f} MB each, within 'checkpoint_memory'.")
    print_line(f"Draft tokens: {'yes' if model['drafts'] else 'no'}.")
    if model["draft_head"]:
        used = model["draft_head"] == "used"
        print_line(
            f"Draft head in the file: {'used' if used else 'not used. ' + model['draft_head'].removesuffix('.')}."
        )
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
    size = f"{model['memory'] / 1e9:6.1f} GB, {model['slots']} x {model['context'] or '?'}"
    return f"{model['target']:16} {model['model']:28} {size:22}  {state:12} {'; '.join(notes)}".rstrip()


def fits(settings: Settings) -> int:
    """Print what every configured model needs.

    Raises:
        ConfigurationError: The memory can't hold them.
    """
    from gateway.app.models.plan import planned

    plan = planned(settings)
    for name, need in plan.footprints.items():
        room = plan.settings.get(name)
        if room is None:
            when = "start" if name in plan.at_start else "on demand"
            told = f"as configured; {need.gpu / 1e9:.2f} of it on GPUs; its server starts {when}"
            print_line(f"{name:16} {need.total / 1e9:6.2f} GB: {told}")
            continue
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
