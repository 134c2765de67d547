"""What `aduana serve` says to a person in the terminal, once it can answer or knows that it can't."""

import asyncio
import contextlib
from collections.abc import Callable

from gateway.app.plain_request import path_and_body
from gateway.core.target import Catalog
from gateway.server import Readiness
from gateway.settings import Settings

_LOOK_SECONDS = 0.2


def ready_text(url: str, settings: Settings, catalog: Catalog) -> str:
    """Return the lines that name the console, the base URLs and one command to try."""
    path, body = path_and_body(catalog)
    key = ' -H "Authorization: Bearer $ADUANA_KEY"' if catalog.keys else ""
    return (
        "\nAduana is ready.\n"
        f"  Console:      {url}/\n"
        f"  Base URL:     {url}/v1  (OpenAI clients; Anthropic and Ollama clients: {url})\n"
        f"{_ollama_line(settings)}"
        f"  Try:          curl {url}{path}{key} -H 'content-type: application/json' -d '{body}'\n"
    )


def _ollama_line(settings: Settings) -> str:
    server = settings.server
    if server.ollama_port is None:
        return ""
    return f"  Ollama's port: {server.host}:{server.ollama_port}\n"


def failed_text(url: str, readiness: Readiness) -> str:
    """Return the lines that say which target can't answer, and why."""
    first = readiness.details.get("default_target")
    targets = readiness.details.get("targets")
    state = targets.get(first, "") if isinstance(targets, dict) and isinstance(first, str) else ""
    why = f"its target {first!r} can't answer: {state}" if first else "no target may answer a plain request."
    return f"\nAduana listens on {url}, but {why}\n  The log above says more. It goes on trying where that can help.\n"


async def announce(
    url: str, settings: Settings, catalog: Catalog, check: Callable[[], Readiness], tell: Callable[[str], None]
) -> None:
    """Tell the person once that the default target can answer; if it fails before that, tell this once, too."""
    warned = False
    while not (readiness := check()).ready:
        if readiness.failed and not warned:
            warned = True
            _say(tell, failed_text(url, readiness))
        await asyncio.sleep(_LOOK_SECONDS)
    _say(tell, ready_text(url, settings, catalog))


def _say(tell: Callable[[str], None], text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody reads the terminal any more
        tell(text)
