"""Name the fields of a chat document that a target's API has no words for, so that the answer can say so. Pure."""

import re

from gateway.core.document import Json, JsonObject
from gateway.core.outbound import WITHHELD
from gateway.core.target import Api
from gateway.upstream.anthropic.requests import SAID

_PLAIN = re.compile(r"[A-Za-z][A-Za-z_]{0,47}")  # other names could be content
_ABSENT: tuple[Json, ...] = (None, False, "", (), {}, 0)


def unsaid(api: Api, document: JsonObject) -> tuple[str, ...]:
    """Return the names of fields that are not sent to a target of this API."""
    if api is Api.CHAT:
        return ()
    found = [name for name, value in document.items() if name not in SAID | WITHHELD and value not in _ABSENT]
    return tuple([name if _PLAIN.fullmatch(name) else "?" for name in found])
