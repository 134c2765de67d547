"""Nothing of a body is dropped in silence: each field is carried, named as left out, or refused.

The fields are those of the providers' own packages, walked through all their types, so a field that a new version of
a package has is tried too, and must then get a place.
"""

import functools
import json
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import ollama._types as ollama_types
import pydantic
import pytest
import typing_extensions
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

from gateway.core.document import encode, freeze_object
from gateway.core.errors import BadRequest, NotFound
from gateway.core.request import AnyRequest
from gateway.wire import anthropic, ollama, responses
from gateway.wire.left_out import left_out, part

Body = dict[str, Any]
Verdict = Literal["carried", "named", "refused", "SILENT"]
MARK = "zorro"
_DEEPEST = 12
_TOOL = {"name": "x", "input_schema": {}, "parameters": {}}

# What says the same as nothing, or what the gateway does itself with the field.
NOTHING = {
    ("service_tier", "auto"), ("service_tier", "default"), ("truncation", "disabled"), ("stream", False),
    ("parallel_tool_calls", True), ("parallel_tool_calls", False), ("tool_choice", "auto"), ("tool_choice", "none"),
    ("tool_choice.type", "auto"), ("tool_choice.type", "none"), ("text.format.type", "text"),
    ("keep_alive", MARK), ("keep_alive", 0.5), ("stream", True), ("raw", True), ("logprobs", True),
    ("format", ""), ("top_logprobs", 7), ("truncate", True), ("tool_choice.mode", "auto"),
    ("messages[].tool_name", MARK), ("tools[].type", "custom"), ("input[].type", "message"),
    ("input[].summary[].type", "summary_text"), ("input[].content[].type", "reasoning_text"),
    ("messages[].content[].source.media_type", "text/plain"),
    ("messages[].content[].content[].source.media_type", "text/plain"),
}  # fmt: skip


class Field(NamedTuple):
    """One value in a body: the keys and places that lead to it, and what stands there."""

    keys: tuple[str | int, ...]
    value: Any


def _hints(kind: Any) -> dict[str, Any] | None:
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if typing_extensions.is_typeddict(kind):
        return typing.get_type_hints(kind)
    return None


def _required(kind: Any) -> frozenset[str]:
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return frozenset(name for name, field in kind.model_fields.items() if field.is_required())
    hints = typing.get_type_hints(kind, include_extras=True)  # `__required_keys__` knows no annotations in quotes
    return frozenset(name for name, hint in hints.items() if typing.get_origin(hint) is typing_extensions.Required)


def _arms(kind: Any) -> list[Any]:
    """Return the choices of a union without None; of any other type the type itself."""
    kind = _bare(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [arm for one in typing.get_args(kind) for arm in _arms(one) if arm is not type(None)]
    return [kind]


def _bare(kind: Any) -> Any:
    while typing.get_origin(kind) in (typing.Annotated, typing_extensions.Required, typing_extensions.NotRequired):
        kind = typing.get_args(kind)[0]
    return kind


def _least(kind: Any, role: str = "user") -> Any:
    """Return the smallest value of a type; a message has the role `role` where its type has none."""
    kind = _arms(kind)[0]
    hints = _hints(kind)
    if hints is not None:
        least = {name: _least(hints[name]) for name in hints if name in _required(kind)}
        return {**least, "role": role} if least.get("role") == "x" else least
    if typing.get_origin(kind) is Literal:
        return typing.get_args(kind)[0]
    if kind in (int, float, bool):
        return {int: 1, float: 1.0, bool: True}[kind]
    if kind is str:
        return "x"
    args = typing.get_args(kind)
    return {} if _is_mapping(kind) or not args else [_least(args[0])]


def _is_mapping(kind: Any) -> bool:
    origin = typing.get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _values(kind: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[Any, Field]]:
    """Yield values of a type that together have each of its fields, with the field that each one is there for."""
    if len(keys) > _DEEPEST:
        return
    for arm in _arms(kind):
        hints = _hints(arm)
        args = typing.get_args(arm)
        if hints is not None:
            for role in ("user", "assistant", "tool") if hints.get("role") is str else ("user",):
                least = _least(arm, role)
                for name, inner in hints.items():
                    for value, field in _values(inner, (*keys, name)):
                        yield {**least, name: value}, field
        elif typing.get_origin(arm) is Literal:
            yield from ((value, Field(keys, value)) for value in args)
        elif arm in (str, bytes):
            yield MARK, Field(keys, MARK)
        elif arm in (int, float, bool):
            value = {int: 7, float: 0.5, bool: True}[arm]
            yield value, Field(keys, value)
        elif _is_mapping(arm) or not args:
            yield {MARK: MARK}, Field((*keys, MARK), MARK)
        else:
            for value, field in _values(args[0], (*keys, 0)):
                yield [value], field


def _names(body: Body, keys: tuple[str | int, ...]) -> set[str]:
    """Return the names under which an answer could say that the value at `keys` was left out."""
    found, path, at = set(), "", body
    for key in keys:
        path = f"{path}[]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
        at = at[key]
        found |= {path, f"{path}.{at.get('type', '?')}"} if isinstance(at, dict) else {path}
    return found


def _without(body: Body, keys: tuple[str | int, ...]) -> Body:
    copy: Any = json.loads(json.dumps(body))
    at = copy
    for key in keys[:-1]:
        at = at[key]
    del at[keys[-1]]
    return copy


def _verdict(parse: Callable[[bytes], AnyRequest], body: Body, field: Field) -> Verdict:
    try:
        request = parse(json.dumps(body).encode())
    except (BadRequest, NotFound):
        return "refused"
    if _names(body, field.keys) & set(request.left_out):
        return "named"
    sent = encode(request.document).decode()
    if field.value == MARK and MARK in sent:
        return "carried"
    if field.value != MARK:
        try:
            if encode(parse(json.dumps(_without(body, field.keys)).encode()).document).decode() != sent:
                return "carried"
        except BadRequest:
            return "carried"  # needed, and read
    if _names(body, field.keys) & set(request.marked):
        return "named"  # in the answers of targets that are not told
    path = "".join("[]" if isinstance(key, int) else f".{key}" for key in field.keys)[1:]
    return "carried" if (path, field.value) in NOTHING else "SILENT"


def _first(parse: Callable[[bytes], Any]) -> Callable[[bytes], AnyRequest]:
    return lambda body: parse(body)[0]


API = {
    "/v1/messages": (
        anthropic.parse_messages, MessageCreateParamsNonStreaming,
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "tools": [_TOOL]},
    ),
    "/v1/responses": (
        lambda body: responses.parse_response(body).chat, ResponseCreateParamsNonStreaming,
        {"model": "m", "input": "hi", "tools": [{"type": "function", **_TOOL}]},
    ),
    "/api/chat": (
        _first(ollama.parse_chat), ollama_types.ChatRequest,
        {"model": "m", "stream": False, "messages": [{"role": "user", "content": "hi"}]},
    ),
    "/api/generate": (_first(ollama.parse_generate), ollama_types.GenerateRequest, {"model": "m", "prompt": "hi"}),
    "/api/embed": (_first(ollama.parse_embed), ollama_types.EmbedRequest, {"model": "m", "input": "hi"}),
}  # fmt: skip


@functools.cache
def verdicts(path: str) -> tuple[tuple[str, Verdict, Body], ...]:
    return tuple(_verdicts(path))


def _verdicts(path: str) -> Iterator[tuple[str, Verdict, Body]]:
    parse, kind, base = API[path]
    for value, field in _values(kind, ()):
        name = "".join("[]" if isinstance(key, int) else f".{key}" for key in field.keys)[1:]
        body = {**base, **{key: value[key] for key in value if key == field.keys[0]}}
        if path == "/v1/responses" and isinstance(body["input"], list):
            body["input"] = [*body["input"], {"role": "assistant", "content": "ok"}]  # what reasoning belongs to
        yield name, _verdict(parse, body, field), body


PLACES: list[tuple[str, str, Verdict]] = [
    ("/v1/messages", "messages[].content[].citations[].cited_text", "named"),
    ("/v1/messages", "messages[].content[].signature", "carried"),
    ("/v1/messages", "messages[].content[].data", "carried"),
    ("/v1/messages", "messages[].content[].cache_control.ttl", "carried"),
    ("/v1/messages", "thinking.budget_tokens", "carried"),
    ("/v1/messages", "messages[].content[].is_error", "carried"),
    ("/v1/messages", "tools[].input_examples[].zorro", "carried"),
    ("/v1/messages", "metadata.user_id", "carried"),
    ("/v1/messages", "container", "named"),
    ("/v1/responses", "input[].encrypted_content", "carried"),
    ("/v1/responses", "include[]", "named"),
    ("/v1/responses", "input[].summary[].text", "carried"),
    ("/v1/responses", "metadata.zorro", "carried"),
    ("/v1/responses", "user", "carried"),
    ("/v1/responses", "prompt_cache_key", "carried"),
    ("/v1/responses", "safety_identifier", "carried"),
    ("/v1/responses", "reasoning.effort", "carried"),
    ("/v1/responses", "store", "named"),
    ("/v1/responses", "previous_response_id", "refused"),
    ("/api/chat", "think", "named"),
    ("/api/chat", "options.num_ctx", "named"),
    ("/api/chat", "options.mirostat", "named"),
]


@pytest.mark.parametrize(("path", "name", "expected"), PLACES)
def test_where_a_field_goes(path: str, name: str, expected: Verdict) -> None:
    """What a model is told has its place in the translated document; what only the provider can use is named."""
    assert expected in {verdict for field, verdict, _ in verdicts(path) if field == name}


def test_an_unknown_field_is_named() -> None:
    """A field that nobody knows is named too, but not where its name could be content."""
    body = freeze_object(
        {"a": 1, "odd": {"x": 1}, "b": [{"c": 1, "d": 2}], "Ana Ruiz": 1, "x600123456789": 1, "e": None}
    )
    assert left_out(body, part("a", b=part("c"))) == ("odd", "b[].d", "?")


@pytest.mark.parametrize("path", API)
def test_no_field_is_dropped_in_silence(path: str) -> None:
    """Every field that a provider's package knows is in the translated document, named in the answer, or refused."""
    found = verdicts(path)
    assert [(name, body) for name, verdict, body in found if verdict == "SILENT"] == []
    assert Counter(verdict for _, verdict, _ in found)["carried"] > 5
