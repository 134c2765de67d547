"""What an OpenAI-compatible target is sent: the inspected document, with the fields that the gateway owns."""

from types import MappingProxyType

from gateway.core.document import Json, JsonObject
from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest

# The gateway answers for these itself; a provider must neither store the request nor see who asked.
_DROPPED = frozenset({"user", "metadata", "store", "safety_identifier", "prompt_cache_key"})
_ABSENT: tuple[Json, ...] = (None, False, "", MappingProxyType({}))


def withheld(request: AnyRequest) -> tuple[str, ...]:
    """Return the fields of a request that a target without `keep_identity` is not sent."""
    return tuple([name for name, value in request.document.items() if name in _DROPPED and value not in _ABSENT])


def outbound_document(request: AnyRequest, model: str, *, keep_identity: bool = False) -> JsonObject:
    """Return a new immutable document for a target that calls its model `model`.

    Answers are always streamed upstream, so that a client that goes away stops the work, and always report usage.
    Without `keep_identity`, fields that name the person or ask the provider to store the request are left out.
    """
    fields: dict[str, Json] = {
        name: value for name, value in request.document.items() if keep_identity or name not in _DROPPED
    }
    fields["model"] = model
    if isinstance(request, ChatRequest | CompletionRequest):
        fields["stream"] = True
        fields["stream_options"] = MappingProxyType({"include_usage": True})
    return MappingProxyType(fields)
