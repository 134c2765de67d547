"""Name the fields of a chat document that a target's API has no words for, so that the answer can say so. Pure."""

import re
from types import MappingProxyType

from gateway.core.document import Json
from gateway.core.labels import Zone
from gateway.core.marks import SETTLED
from gateway.core.outbound import WITHHELD
from gateway.core.provider_fields import NATIVE, OF_A1111
from gateway.core.request import AnyRequest, Dialect, MediaRequest
from gateway.core.target import Api, TargetInfo
from gateway.upstream.anthropic import requests as messages
from gateway.upstream.responses import requests as responses

_SAID = {Api.MESSAGES: messages.SAID, Api.RESPONSES: responses.SAID}
_NAMED_ELSEWHERE = WITHHELD | {NATIVE}
_MARKS = {Api.RESPONSES: ("encrypted_content", "include[]")}  # of all marks; other targets that take marks take all
_PLAIN = re.compile(r"[A-Za-z][A-Za-z_]{0,47}")  # other names could be content
_ABSENT: tuple[Json, ...] = (None, False, "", (), MappingProxyType({}), 0)


def unsaid(request: AnyRequest, target: TargetInfo | None) -> tuple[str, ...]:
    """Return the names of what a request says and the target is not told."""
    if target is None:
        return request.marked + request.own_words + request.provider_words
    if isinstance(request, MediaRequest):
        foreign = request.dialect is Dialect.A1111 and target.zone is Zone.CLOUD
        return tuple([name for name in request.document if name in OF_A1111]) if foreign else ()
    marks = _MARKS.get(target.api, ("",)) if target.marks else ()
    lost = [name for name in request.marked if not name.endswith(marks)]
    lost += _lost_words(request, target)
    said = _SAID.get(target.api)
    if said is not None:
        fields = [name for name, value in request.document.items() if name not in said and value not in _ABSENT]
        lost += [name if _PLAIN.fullmatch(name) else "?" for name in fields if name not in _NAMED_ELSEWHERE]
    return tuple(dict.fromkeys(lost))


def _lost_words(request: AnyRequest, target: TargetInfo) -> tuple[str, ...]:
    """Return which words of the client's own API the target is not sent; `core/marks.py` decides about them."""
    if target.api is not Api.MESSAGES:
        return request.own_words + request.provider_words
    fitting = target.betas.issuperset(request.betas)
    lost = tuple([name for name in request.own_words if not fitting and name.rpartition(".")[2] not in SETTLED])
    return lost if target.provider_tools else lost + request.provider_words
