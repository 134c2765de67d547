"""What an OpenAI-compatible target is sent: the inspected document, with the fields that the gateway owns."""

import hashlib
import re
import secrets
from types import MappingProxyType

from gateway.core.document import Json, JsonObject
from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest

# The gateway answers for these itself; a provider must neither store the request nor see who asked.
_DROPPED = frozenset({"user", "metadata", "store", "safety_identifier"})
_CACHE_KEY = "prompt_cache_key"
_SALT = secrets.token_bytes(16)  # so that no provider can guess whose key it was; caches live shorter than a process
# OpenAI's models that refuse `max_tokens`; others may not know the newer name. Source: OpenAI's API reference.
_NEWER_LIMIT = re.compile(r"(?:^|[/.:])(?:o[1-9](?![a-z])|gpt-[5-9](?!\d)|codex)", re.IGNORECASE)
_ABSENT: tuple[Json, ...] = (None, False, "", MappingProxyType({}))


def withheld(request: AnyRequest) -> tuple[str, ...]:
    """Return the fields of a request that a target without `keep_identity` is not sent."""
    return tuple([name for name, value in request.document.items() if name in _DROPPED and value not in _ABSENT])


def outbound_document(request: AnyRequest, model: str, *, keep_identity: bool = False) -> JsonObject:
    """Return a new immutable document for a target that calls its model `model`.

    Answers are always streamed upstream, so that a client that goes away stops the work, and always report usage.
    Without `keep_identity`, fields that name the person or ask the provider to store the request are left out, and the
    key by which a provider finds its cache is replaced by a keyed hash of it.
    """
    fields: dict[str, Json] = {
        name: value for name, value in request.document.items() if keep_identity or name not in _DROPPED
    }
    fields["model"] = model
    if not keep_identity and isinstance(given := fields.pop(_CACHE_KEY, None), str):
        fields[_CACHE_KEY] = _hashed(given)
    if "max_tokens" in fields and isinstance(request, ChatRequest) and _NEWER_LIMIT.search(model):
        fields.setdefault("max_completion_tokens", fields["max_tokens"])
        del fields["max_tokens"]
    if isinstance(request, ChatRequest | CompletionRequest):
        fields["stream"] = True
        fields["stream_options"] = MappingProxyType({"include_usage": True})
    return MappingProxyType(fields)


def _hashed(key: str) -> str:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16, key=_SALT).hexdigest()
