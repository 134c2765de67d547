"""Translate Anthropic's `system`, without what its clients write there for Anthropic's accounts alone. Pure."""

import re
from typing import Any

from gateway.core.document import Json, JsonObject
from gateway.wire.anthropic.blocks import plain, text_parts
from gateway.wire.body_fields import Fields

# Claude Code's first line; it changes with each request, so no prefix of the prompt would ever be found again.
_BILLING = re.compile(r"^x-anthropic-billing-header:[^\n]*\n?", re.MULTILINE)
_BILLING_NAME = "system.x-anthropic-billing-header"


def translate_system(body: Fields, note: str, *, apart: bool = False) -> list[dict[str, Any]]:
    """Translate `system`, which is a text or text blocks, with `note` behind it. `apart`: texts stay parts.

    Raises:
        BadRequest: it is something else.
    """
    given: Json = body.document.get("system")
    parts = text_parts(given, "system") if given else []
    if apart:
        parts = [part | {"text": _BILLING.sub("", part["text"])} for part in parts]
        parts = [part for part in (*parts, {"type": "text", "text": note}) if part["text"].strip("\n")]
        return [{"role": "system", "content": parts}] if parts else []
    text = str(plain(parts, apart=False))
    texts = [one for one in (_BILLING.sub("", text).strip("\n") if _BILLING.search(text) else text, note) if one]
    return [{"role": "system", "content": "\n\n".join(texts)}] if texts else []


def billing_lines(document: JsonObject) -> tuple[str, ...]:
    """Return how an answer names lines about billing that were left out."""
    given = document.get("system")
    text = str(plain(text_parts(given, "system"), apart=False)) if given else ""
    return (_BILLING_NAME,) if _BILLING.search(text) else ()
