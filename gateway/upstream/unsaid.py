"""Name the fields of a chat document that a target's API has no words for, so that the answer can say so. Pure."""

import re
from types import MappingProxyType

from gateway.core.document import Json
from gateway.core.outbound import WITHHELD
from gateway.core.request import AnyRequest
from gateway.core.target import Api, TargetInfo
from gateway.upstream.anthropic import requests as messages
from gateway.upstream.responses import requests as responses

_SAID = {Api.MESSAGES: messages.SAID, Api.RESPONSES: responses.SAID}
_MARKS = {Api.RESPONSES: ("encrypted_content", "include[]")}  # of all marks; other targets that take marks take all
_PLAIN = re.compile(r"[A-Za-z][A-Za-z_]{0,47}")  # other names could be content
_ABSENT: tuple[Json, ...] = (None, False, "", (), MappingProxyType({}), 0)


def unsaid(request: AnyRequest, target: TargetInfo | None) -> tuple[str, ...]:
    """Return the names of what a request says and the target is not told."""
    if target is None:
        return request.marked
    marks = _MARKS.get(target.api, ("",)) if target.marks else ()
    lost = [name for name in request.marked if not name.endswith(marks)]
    said = _SAID.get(target.api)
    if said is not None:
        fields = [name for name, value in request.document.items() if name not in said and value not in _ABSENT]
        lost += [name if _PLAIN.fullmatch(name) else "?" for name in fields if name not in WITHHELD]
    return tuple(dict.fromkeys(lost))
