"""Translate Anthropic's `system`, without what its clients write there for Anthropic's accounts alone. Pure."""

import re
from typing import Any

from gateway.core.document import Json, JsonObject
from gateway.wire.anthropic.blocks import only_text
from gateway.wire.body_fields import Fields

# Claude Code's first line; it changes with each request, so no prefix of the prompt would ever be found again.
_BILLING = re.compile(r"^x-anthropic-billing-header:[^\n]*\n?", re.MULTILINE)
_BILLING_NAME = "system.x-anthropic-billing-header"


def translate_system(body: Fields, note: str) -> list[dict[str, Any]]:
    """Translate `system`, which is a text or text blocks, with `note` behind it.

    Raises:
        BadRequest: it is something else.
    """
    given: Json = body.document.get("system")
    text = only_text(given, "system") if given else ""
    parts = [part for part in (_BILLING.sub("", text).strip("\n") if _BILLING.search(text) else text, note) if part]
    return [{"role": "system", "content": "\n\n".join(parts)}] if parts else []


def billing_lines(document: JsonObject) -> tuple[str, ...]:
    """Return how an answer names lines about billing that were left out."""
    given = document.get("system")
    text = only_text(given, "system") if given else ""
    return (_BILLING_NAME,) if _BILLING.search(text) else ()
