"""Read how long a client wants a model to stay loaded (`keep_alive`). Pure."""

import re
from datetime import UTC, datetime

import msgspec

from gateway.core.document import JsonObject
from gateway.wire.body_fields import bad_field

FOR_EVER = 10 * 365 * 86_400.0  # how `expires_at` says "never", in seconds from now
_PIECES = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_LONGEST = 64
_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def timestamp(seconds: float) -> str:
    """Return Unix seconds as Ollama writes times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Wish of a client about how long its model stays loaded.

    `keep` is the seconds without work after which it may be unloaded; None: never; unset: the client says nothing.
    """

    model: str
    keep: float | msgspec.UnsetType | None = msgspec.UNSET


def wish_of(document: JsonObject) -> Wish:
    """Return what a body says about how long its model stays loaded.

    Raises:
        BadRequest: `keep_alive` is no time.
    """
    name = document.get("model")
    model = name.removesuffix(":latest") if isinstance(name, str) else ""
    given = document.get("keep_alive")
    if given is None:
        return Wish(model=model)
    return Wish(model=model, keep=_seconds(given))


def _seconds(given: object) -> float | None:
    if isinstance(given, str):
        text = given.strip()
        if len(text) > _LONGEST:
            raise bad_field("keep_alive", "must be seconds, or a time such as '5m'.")
        sign, number = text.startswith("-"), text.lstrip("+-")
        pieces = _PIECES.findall(number)
        if pieces and "".join(value + unit for value, unit in pieces) == number:
            return None if sign else sum(float(value) * _SECONDS[unit] for value, unit in pieces)
        try:
            given = float(text)
        except ValueError:
            raise bad_field("keep_alive", "must be seconds, or a time such as '5m'.") from None
    if isinstance(given, bool) or not isinstance(given, int | float) or given != given:
        raise bad_field("keep_alive", "must be seconds, or a time such as '5m'.")
    return None if given < 0 or given > FOR_EVER else float(given)
