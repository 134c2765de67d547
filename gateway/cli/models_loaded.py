"""Models in a running gateway, and what the configured ones would need. Belongs to `aduana models`."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, TypeAlias

from gateway.core.errors import AduanaError, BadRequest, ConfigurationError, Unavailable
from gateway.settings import Settings

Ask: TypeAlias = Callable[[str, str], Any]  # method, path → the answer's JSON


def the_running(settings: Settings, url: str | None, key: str) -> Ask:
    """Asks the gateway at `url`, else at the configured address. Raises what it answers with."""
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
    """Carries out `ps`, `load` or `unload`, and prints what came of it."""
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


def _line(model: dict[str, Any]) -> str:
    state = model["state"] if model["progress"] is None else f"loading {model['progress']:.0%}"
    notes = []
    if model["busy"] or model["waiting"]:
        notes.append(f"{model['busy']} working, {model['waiting']} waiting")
    if model["unloads_in"] is not None:
        notes.append(f"goes in {model['unloads_in']:.0f} s unless it is asked for")
    if model["state"] == "unloaded" and model["gives_way"]:
        notes.append(f"instead of {', '.join(model['gives_way'])}")
    size = f"{model['memory'] / 1e9:6.1f} GB"
    return f"{model['target']:16} {model['model']:28} {size}  {state:12} {'; '.join(notes)}".rstrip()


def fits(settings: Settings) -> int:
    """What every configured model needs. Raises ConfigurationError when they can't be held."""
    from gateway.app.model_plan import planned

    plan = planned(settings)
    for name, need in plan.footprints.items():
        room = plan.settings[name]
        print(
            f"{name:16} {need.total / 1e9:6.2f} GB: {need.weights / 1e9:.2f} weights, {need.cache / 1e9:.2f} KV cache "
            f"({room.slots} x {room.context} tokens, {room.kv_type_k}/{room.kv_type_v}), {need.compute / 1e9:.2f} "
            f"computing; {need.gpu / 1e9:.2f} of it on GPUs; loads {room.load.replace('_', ' ')}"
        )
    problems = plan.problems()
    if problems:
        raise ConfigurationError(tuple(problems))
    return 0
