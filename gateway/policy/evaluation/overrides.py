"""Settings of rules (`set`), put into a request. The same for local targets and for what a clearance holds."""

from types import MappingProxyType
from typing import overload

import msgspec

from gateway.core.document import Json
from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest, GenerateRequest, Message, Sampling
from gateway.policy.language.ast import Overrides

_CAPS = ("max_tokens", "max_completion_tokens")


@overload
def overridden(request: GenerateRequest, overrides: Overrides) -> GenerateRequest: ...
@overload
def overridden(request: AnyRequest, overrides: Overrides) -> AnyRequest: ...
def overridden(request: AnyRequest, overrides: Overrides) -> AnyRequest:
    """Return the request as the policy wants it answered: the same object where nothing is set."""
    changed = (
        overrides.max_output_tokens is not None
        or overrides.temperature is not None
        or overrides.system_prefix is not None
    )
    if not changed or not isinstance(request, ChatRequest | CompletionRequest):
        return request
    fields: dict[str, Json] = dict(request.document)
    sampling = _sampled(request.sampling, overrides, fields)
    if isinstance(request, ChatRequest) and overrides.system_prefix is not None:
        first = Message(role="system", text=overrides.system_prefix)
        raw = fields.get("messages")
        said: Json = MappingProxyType({"role": "system", "content": overrides.system_prefix})
        fields["messages"] = (said, *(raw if isinstance(raw, tuple) else ()))
        return msgspec.structs.replace(
            request, messages=(first, *request.messages), sampling=sampling, document=MappingProxyType(fields)
        )
    return msgspec.structs.replace(request, sampling=sampling, document=MappingProxyType(fields))


def _sampled(sampling: Sampling, overrides: Overrides, fields: dict[str, Json]) -> Sampling:
    cap = overrides.max_output_tokens
    if cap is not None and (sampling.max_tokens is None or sampling.max_tokens > cap):
        sampling = msgspec.structs.replace(sampling, max_tokens=cap)
        given = [name for name in _CAPS if name in fields] or ["max_tokens"]
        fields.update(dict.fromkeys(given, cap))
    if overrides.temperature is not None:
        sampling = msgspec.structs.replace(sampling, temperature=overrides.temperature)
        fields["temperature"] = overrides.temperature
    return sampling
