"""What an OpenAI-compatible target is sent: the inspected document, with the fields that the gateway owns."""

import hashlib
import re
import secrets
from types import MappingProxyType

from gateway.core.document import Json, JsonObject
from gateway.core.labels import Zone
from gateway.core.marks import OF_ANTHROPIC, native_for, unmarked, without_native
from gateway.core.provider_fields import OF_A1111
from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest, Dialect, Thinking
from gateway.core.target import Api, TargetInfo

# The gateway answers for these itself; a provider must neither store the request nor see who asked.
WITHHELD = frozenset({"user", "metadata", "store", "safety_identifier"})
"""Fields that no cloud is sent."""
_CACHE_KEY = "prompt_cache_key"
_SALT = secrets.token_bytes(16)  # so that no provider can guess whose key it was; caches live shorter than a process
# OpenAI's models that refuse `max_tokens`; others may not know the newer name. Source: OpenAI's API reference.
_REASONING = re.compile(r"(?:^|[/.:])(?:o[1-9](?![a-z])|gpt-[5-9](?!\d)|codex)", re.IGNORECASE)
_BUDGETS = ((2048, "low"), (8192, "medium"), (2**31, "high"))  # tokens
_ABSENT: tuple[Json, ...] = (None, False, "", MappingProxyType({}))


def is_reasoning_model(model: str) -> bool:
    """Say whether this is one of OpenAI's models that think, by its name."""
    return _REASONING.search(model) is not None


def withheld(request: AnyRequest) -> tuple[str, ...]:
    """Return the fields of a request that a target without `keep_identity` is not sent."""
    return tuple([name for name, value in request.document.items() if name in WITHHELD and value not in _ABSENT])


def outbound_document(request: AnyRequest, target: TargetInfo, *, keep_identity: bool = False) -> JsonObject:
    """Return a new immutable document for a target.

    Answers are always streamed upstream, so that a client that goes away stops the work, and always report usage.
    Without `keep_identity`, fields that name the person or ask the provider to store the request are left out, and the
    key by which a provider finds its cache is replaced by a keyed hash of it. Marks that the translation of a dialect
    put in go to targets that take them alone.
    """
    marked = bool(request.marked) or request.dialect is Dialect.ANTHROPIC  # effort alone is no mark, for it is carried
    document = _marked_for(request, target) if marked else request.document
    if request.dialect is not Dialect.ANTHROPIC:
        document = without_native(document)  # INVARIANT: only that dialect's translation writes such words
    fields: dict[str, Json] = {name: value for name, value in document.items() if keep_identity or name not in WITHHELD}
    fields["model"] = target.model
    if request.dialect is Dialect.A1111 and target.zone is Zone.CLOUD:  # which refuse what they do not know
        for name in OF_A1111:
            fields.pop(name, None)
    if marked and target.api is Api.CHAT and isinstance(request, ChatRequest):
        _drop_words_of_anthropic(request, fields, takes_marks=target.marks)
    if not keep_identity and isinstance(given := fields.pop(_CACHE_KEY, None), str):
        fields[_CACHE_KEY] = _hashed(given)
    if isinstance(request, ChatRequest):
        _name_limit(fields, target)
        thinks = request.dialect is Dialect.ANTHROPIC and is_reasoning_model(target.model)
        if thinks and (effort := _effort(request.thinking)):
            fields.setdefault("reasoning_effort", effort)
    if isinstance(request, ChatRequest | CompletionRequest):
        fields["stream"] = True
        fields["stream_options"] = MappingProxyType({"include_usage": True})
    return MappingProxyType(fields)


def _marked_for(request: AnyRequest, target: TargetInfo) -> JsonObject:
    """Return the document with those marks that the target takes."""
    if not target.marks:
        return unmarked(request.document)
    if target.api is not Api.MESSAGES:
        return without_native(request.document)
    unknown = target.betas.issuperset(request.betas)
    return native_for(request.document, provider_tools=target.provider_tools, unknown=unknown)


def _name_limit(fields: dict[str, Json], target: TargetInfo) -> None:
    """Give the limit of the answer the name that the target knows; Ollama ignores the newer one.

    Source: `openai/openai.go` of Ollama.
    """
    older, newer = "max_tokens", "max_completion_tokens"
    if is_reasoning_model(target.model):
        name, other = newer, older
    elif target.zone is Zone.LOCAL:
        name, other = older, newer
    else:
        return
    if other in fields:
        given = fields.pop(other)
        if fields.get(name) is None:
            fields[name] = given


def _drop_words_of_anthropic(request: ChatRequest, fields: dict[str, Json], *, takes_marks: bool) -> None:
    """Leave out what only Anthropic's own API knows; OpenRouter is told the budget for thinking in its words."""
    for name in OF_ANTHROPIC:
        fields.pop(name, None)
    if takes_marks and request.thinking.budget and "reasoning_effort" not in fields:
        fields["reasoning"] = MappingProxyType({"max_tokens": request.thinking.budget})


def _effort(thinking: Thinking) -> str:
    """Return the effort that a budget for thinking comes to; empty: nothing is said about it."""
    return next((word for most, word in _BUDGETS if thinking.budget is not None and thinking.budget <= most), "")


def _hashed(key: str) -> str:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16, key=_SALT).hexdigest()
