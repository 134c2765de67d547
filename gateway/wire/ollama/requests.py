"""Parse Ollama request bodies into typed requests. Pure.

As in the Anthropic dialect, the body is translated into an OpenAI document, and that document is what is inspected,
decided on and sent. Options that only concern loading a model (`num_ctx`, `num_gpu`) are left out: the gateway's
configuration says how models are loaded (`keep_alive`: `keep_alive.py`). So are sampling methods that are not served;
the answer names them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject, encode, freeze_object, thaw
from gateway.core.request import ChatRequest, CompletionRequest, Dialect, EmbeddingsRequest
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.forbidden_fields import refuse_forms, refuse_overrides
from gateway.wire.left_out import Shape, left_out
from gateway.wire.ollama import shape
from gateway.wire.openai import requests as openai_requests
from gateway.wire.openai.thinking import ollama_thinking

_ROLES = ("system", "user", "assistant", "tool")
_MOST_MESSAGES = 100_000
_MOST_IMAGES = 100
_MOST_CALLS = 1024
_SAME_NAME = ("seed", "top_p", "top_k", "min_p", "temperature", "repeat_penalty", "presence_penalty")


def parse_chat(document: JsonObject) -> ChatRequest | None:
    """Parse the document of `POST /api/chat`. None: no messages, so the model is only loaded or unloaded.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    body = _opened(document)
    if not document.get("messages"):
        _model(body)
        return None
    fields = _common(body)
    fields["messages"] = _messages(body)
    tools = body.items("tools", 1024)
    if tools:
        fields["tools"] = [thaw(tool) for tool in tools]
    return _chat(fields, body, shape.CHAT)


def parse_generate(document: JsonObject) -> ChatRequest | CompletionRequest | None:
    """Parse the document of `POST /api/generate`. None: no prompt, so the model is only loaded or unloaded.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    body = _opened(document)
    for name in ("template", "context"):
        if document.get(name):
            raise bad_field(name, "is not served here.")
    prompt, suffix = body.string("prompt") or "", body.string("suffix")
    if not (prompt or suffix):
        _model(body)
        return None
    fields = _common(body)
    if suffix or body.boolean("raw"):
        for name in ("system", "images"):
            if document.get(name):
                raise bad_field(name, f"can't stand beside {'suffix' if suffix else 'raw'!r}.")
        text = {"prompt": prompt, "suffix": suffix} if suffix else {"prompt": prompt}
        request = openai_requests.parse_completion(freeze_object({**fields, **text}))
        return msgspec.structs.replace(request, dialect=Dialect.OLLAMA, left_out=left_out(document, shape.GENERATE))
    system = body.string("system")
    head = [{"role": "system", "content": system}] if system else []
    fields["messages"] = [*head, {"role": "user", "content": _with_images(prompt, body)}]
    return _chat(fields, body, shape.GENERATE)


def parse_embed(document: JsonObject) -> EmbeddingsRequest | None:
    """Parse the document of `POST /api/embed` (`input`) or `/api/embeddings` (older, `prompt`); texts may be cut.

    None: no text, so the model is only loaded.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    body = _opened(document)
    older = document.get("input") is None
    given = document.get("prompt" if older else "input")
    fields: dict[str, Any] = {"model": _model(body), "input": thaw(given)}
    if given in ("", ()):
        return None
    dimensions = body.integer("dimensions", 1, 65_536)
    if dimensions is not None:
        fields["dimensions"] = dimensions
    request = openai_requests.parse_embeddings(freeze_object(fields))
    left = left_out(document, shape.EMBED_PROMPT if older else shape.EMBED)
    truncate = document.get("truncate") is None or body.boolean("truncate")
    return msgspec.structs.replace(request, dialect=Dialect.OLLAMA, left_out=left, truncate=truncate)


def _opened(document: JsonObject) -> Fields:
    refuse_overrides(document)
    refuse_forms(document, "format")
    return Fields(document)


def _chat(fields: dict[str, Any], body: Fields, carried: Shape) -> ChatRequest:
    request = openai_requests.parse_chat(freeze_object(fields))
    return msgspec.structs.replace(
        request,
        dialect=Dialect.OLLAMA,
        left_out=left_out(body.document, carried),
        thinking=ollama_thinking(body.document.get("think")),
    )


def _model(body: Fields) -> str:
    return _plain_name(body.required_string("model", longest=256))


def _plain_name(name: str) -> str:
    return name.removesuffix(":latest")


def _common(body: Fields) -> dict[str, Any]:
    """Translate the fields that all requests have: model, streaming (on by default), sampling and format.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    fields: dict[str, Any] = {"model": _model(body)}
    if body.document.get("stream") is None or body.boolean("stream"):
        fields["stream"] = True
    options = body.mapping("options")
    if options is not None:
        _options(options, fields)
    if body.boolean("logprobs"):
        fields["logprobs"] = True
        fields["top_logprobs"] = body.integer("top_logprobs", 0, 20) or 0
    given = body.document.get("format")
    if given == "json":
        fields["response_format"] = {"type": "json_object"}
    elif isinstance(given, Mapping):
        schema = {"name": "answer", "strict": True, "schema": thaw(given)}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif given:
        raise bad_field("format", "must be 'json' or a JSON schema.")
    return fields


def _options(options: Fields, fields: dict[str, Any]) -> None:
    for name in (*_SAME_NAME, "frequency_penalty"):
        value = options.document.get(name)
        if value is not None:
            fields[name] = value
    limit = options.integer("num_predict", -2, 2**31 - 1)
    if limit is not None and limit > 0:
        fields["max_tokens"] = limit
    stop = options.document.get("stop")
    if stop:
        fields["stop"] = thaw(stop)


def _messages(body: Fields) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    waiting: list[tuple[str, str]] = []  # calls without a result yet: id, name
    for number, given in enumerate(body.objects("messages", _MOST_MESSAGES)):
        role = given.choice("role", _ROLES)
        if role is None:
            raise bad_field(given.param("role"), "is missing.")
        message: dict[str, Any] = {"role": role, "content": _with_images(given.string("content") or "", given)}
        if role == "assistant":
            calls = _calls(given, number)
            waiting += [(call["id"], call["function"]["name"]) for call in calls]
            if calls:
                message["tool_calls"] = calls
            if thought := given.string("thinking"):
                message["reasoning_content"] = thought
        elif role == "tool":
            message["tool_call_id"] = _answered(given, waiting, number)
        messages.append(message)
    return messages


def _with_images(text: str, holder: Fields) -> str | list[dict[str, Any]]:
    images = holder.items("images", _MOST_IMAGES)
    if not images:
        return text
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for number, image in enumerate(images):
        if not isinstance(image, str):
            raise bad_field(f"{holder.param('images')}[{number}]", "must be base64 text.")
        parts.append({"type": "image_url", "image_url": {"url": f"data:image/{_image_kind(image)};base64,{image}"}})
    return parts


def _image_kind(data: str) -> str:
    """Tell an image's format by its first bytes, because Ollama's API does not name it."""
    kinds = {"/9j/": "jpeg", "iVBORw0KGgo": "png", "R0lGOD": "gif", "UklGR": "webp"}
    return next((kind for head, kind in kinds.items() if data.startswith(head)), "png")


def _calls(given: Fields, number: int) -> list[dict[str, Any]]:
    """Translate tool calls. Ollama's have no id, so each gets one from its place in the conversation.

    Raises:
        BadRequest: a call is not as it must be.
    """
    calls: list[dict[str, Any]] = []
    for place, call in enumerate(given.objects("tool_calls", _MOST_CALLS)):
        inner = call.mapping("function")
        if inner is None:
            raise bad_field(call.param("function"), "is missing.")
        function = {"name": inner.required_string("name", longest=256), "arguments": _arguments(inner)}
        call_id = call.string("id", longest=256) or f"call_{number}_{place}"
        calls.append({"id": call_id, "type": "function", "function": function})
    return calls


def _arguments(inner: Fields) -> str:
    given: Json = inner.document.get("arguments")
    if given is None:
        return "{}"
    return encode(inner.inside(given, inner.param("arguments")).document).decode()


def _answered(given: Fields, waiting: list[tuple[str, str]], number: int) -> str:
    """Return the id of the call that a tool's message answers: named by id, by tool, or simply the next one."""
    call_id = given.string("tool_call_id", longest=256)
    name = given.string("tool_name", longest=256) or given.string("name", longest=256)
    for place, (known, tool) in enumerate(waiting):
        if (call_id is None and name in (None, tool)) or call_id == known:
            del waiting[place]
            return known
    return call_id or f"call_{number}"
