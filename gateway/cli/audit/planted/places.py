"""Where a canary can stand in OpenAI's documents: every position of chat, completions, embeddings and rerank."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Body = dict[str, Any]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Place where a canary can stand: an endpoint, and what makes a body of a marker and a text."""

    path: str
    body: Callable[[str, str], Body]
    left_out: bool = False  # a place that the translation of the dialect leaves behind


def chat(change: Callable[..., object], *, left_out: bool = False) -> Place:
    """Return a place in a chat body, where `change` puts the text; the marker is the user's first word."""

    def body(marker: str, text: str) -> Body:
        made: Body = {"model": "auto", "max_tokens": 5, "messages": [{"role": "user", "content": f"{marker} hola"}]}
        change(made, text)
        return made

    return Place(path="/v1/chat/completions", body=body, left_out=left_out)


def put_first(body: Body, role: str, content: object) -> None:
    """Put a message first."""
    body["messages"].insert(0, {"role": role, "content": content})


def put_tool(body: Body, **function: object) -> None:
    """Give the request one tool."""
    body["tools"] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}} | function}]


def _called(body: Body, arguments: object, result: object = "done") -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": json.dumps(arguments)}}
    body["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": result},
    ]


def _break_call(body: Body, text: str) -> None:
    _called(body, {})
    body["messages"][-2]["tool_calls"][0]["function"]["arguments"] = f'{{"a": "{text}'


def _name_call(body: Body, text: str) -> None:
    _called(body, {})
    body["messages"][-2]["tool_calls"][0]["id"] = text
    body["messages"][-1]["tool_call_id"] = text


def _call_legacy(body: Body, text: str) -> None:
    call = {"name": "f", "arguments": json.dumps({"a": text})}
    body["messages"].insert(0, {"role": "assistant", "content": "", "function_call": call})


def _choose(body: Body, text: str) -> None:
    put_tool(body)
    body["tool_choice"] = {"type": "function", "function": {"name": "f"}, "x_note": text}


def put_said(body: Body, content: object) -> None:
    """Add one more turn of the user."""
    body["messages"].append({"role": "user", "content": content})


def parameters(**properties: object) -> Body:
    """Return the schema of an object with these properties."""
    return {"type": "object", "properties": properties}


def _schema(schema: Body) -> Body:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _last(body: Body, text: str) -> None:
    body["messages"][0]["content"] += f" {text}"


def streamed(change: Callable[[Body, str], object]) -> Callable[[Body, str], object]:
    """Return a change that does the same and asks for a stream."""

    def changed(body: Body, text: str) -> None:
        change(body, text)
        body["stream"] = True

    return changed


def _split(body: Body, text: str) -> None:
    """Put the whole text into one part of a message, beside others."""
    put_said(body, [{"type": "text", "text": "mira"}, {"type": "text", "text": text}, {"type": "text", "text": "ya"}])


_LISTS = ("enum", "examples")
CHAT: Mapping[str, Place] = {
    "user": chat(_last),
    "user, streamed": chat(streamed(_last)),
    "text part": chat(_split),
    "system": chat(lambda body, text: put_first(body, "system", text)),
    "developer": chat(lambda body, text: put_first(body, "developer", text)),
    "assistant": chat(lambda body, text: put_first(body, "assistant", text)),
    "reasoning": chat(
        lambda body, text: body["messages"].insert(0, {"role": "assistant", "content": "ok", "reasoning_content": text})
    ),
    "tool call": chat(lambda body, text: _called(body, {"a": text})),
    "tool call, key": chat(lambda body, text: _called(body, {text: 1})),
    "tool call, deep": chat(lambda body, text: _called(body, {"a": [[{"b": json.dumps([text])}]]})),
    "tool result": chat(lambda body, text: _called(body, {}, text)),
    "tool result, part": chat(lambda body, text: _called(body, {}, [{"type": "text", "text": text}])),
    "tool description": chat(lambda body, text: put_tool(body, description=text)),
    "tool parameter": chat(lambda body, text: put_tool(body, parameters=parameters(a={"description": text}))),
    "tool enum": chat(lambda body, text: put_tool(body, parameters=parameters(a={"enum": [text]}))),
    "answer schema": chat(
        lambda body, text: body.update(response_format=_schema(parameters(a={"type": "string", "description": text})))
    ),
    "metadata": chat(lambda body, text: body.update(metadata={"note": text}), left_out=True),
    "metadata key": chat(lambda body, text: body.update(metadata={text[:60]: "x"}), left_out=True),
    "stop": chat(lambda body, text: body.update(stop=[text])),
    "user id": chat(lambda body, text: body.update(user=text), left_out=True),
    "prediction": chat(lambda body, text: body.update(prediction={"type": "content", "content": text})),
    "model": chat(lambda body, text: body.update(model=text), left_out=True),
    "name": chat(lambda body, text: body["messages"][0].update(name=text)),
    "refusal": chat(
        lambda body, text: body["messages"].insert(0, {"role": "assistant", "content": None, "refusal": text})
    ),
    "reasoning part": chat(lambda body, text: put_first(body, "assistant", [{"type": "thinking", "thinking": text}])),
    "reasoning details": chat(
        lambda body, text: body["messages"].insert(
            0, {"role": "assistant", "content": "ok", "reasoning_details": [{"type": "reasoning.text", "text": text}]}
        )
    ),
    "tool call, legacy": chat(_call_legacy),
    "tool call, broken JSON": chat(_break_call),
    "tool call id": chat(_name_call),
    "tool result, JSON": chat(lambda body, text: _called(body, {}, json.dumps({"rows": [{"value": text}]}))),
    "tool name": chat(lambda body, text: put_tool(body, name=text)),
    "tool, unknown field": chat(lambda body, text: put_tool(body, parameters={"type": "object"}, x_note=text)),
    "functions, legacy": chat(
        lambda body, text: body.update(functions=[{"name": "f", "description": text, "parameters": {"type": "object"}}])
    ),
    "tool choice": chat(_choose),
    **{
        f"schema {key}": chat(
            lambda body, text, key=key: body.update(
                response_format=_schema(parameters(a={"type": "string", key: [text] if key in _LISTS else text}))
            )
        )
        for key in ("title", "enum", "default", "const", "pattern", "examples", "$comment")
    },
    "schema property": chat(
        lambda body, text: body.update(response_format=_schema(parameters(**{text: {"type": "string"}})))
    ),
    "schema name": chat(
        lambda body, text: body.update(
            response_format={"type": "json_schema", "json_schema": {"name": text, "schema": {"type": "object"}}}
        )
    ),
    "schema, definition": chat(
        lambda body, text: body.update(
            response_format=_schema({"type": "object", "$defs": {"a": {"type": "string", "description": text}}})
        )
    ),
    "prediction, part": chat(
        lambda body, text: body.update(prediction={"type": "content", "content": [{"type": "text", "text": text}]})
    ),
    "logit bias": chat(lambda body, text: body.update(logit_bias={text: 1})),
    "cache key": chat(lambda body, text: body.update(prompt_cache_key=text), left_out=True),
    "safety identifier": chat(lambda body, text: body.update(safety_identifier=text), left_out=True),
    "web search place": chat(
        lambda body, text: body.update(
            web_search_options={"user_location": {"type": "approximate", "approximate": {"city": text}}}
        )
    ),
    "unknown field": chat(lambda body, text: body.update(x_never_seen={"deep": [[text]]})),
    "unknown key": chat(lambda body, text: body.update({text: 1})),
    "unknown field of a message": chat(lambda body, text: body["messages"][0].update(x_note=text)),
}


def plain(path: str, field: str, wrap: Callable[[str], object] = str, **further: object) -> Place:
    """Return a place in a body whose one field holds marker and text together."""

    def body(marker: str, text: str) -> Body:
        return {"model": "auto", field: wrap(f"{marker} {text}"), **further}

    return Place(path=path, body=body)


def beside(path: str, base: Callable[[str], Body], change: Callable[[Body, str], object], left_out: bool) -> Place:
    """Return a place in a body of `base`, which has the marker, where `change` puts the text."""

    def body(marker: str, text: str) -> Body:
        made = {"model": "auto"} | base(f"{marker} hola")
        change(made, text)
        return made

    return Place(path=path, body=body, left_out=left_out)


def _completion(change: Callable[[Body, str], object]) -> Place:
    return beside("/v1/completions", lambda said: {"prompt": said}, change, left_out=False)


COMPLETIONS: Mapping[str, Place] = {
    "prompt": plain("/v1/completions", "prompt"),
    "prompt, streamed": plain("/v1/completions", "prompt", stream=True),
    "prompt in a list": plain("/v1/completions", "prompt", lambda text: [text]),
    "suffix": _completion(lambda body, text: body.update(suffix=text)),
    "prompts": _completion(lambda body, text: body.update(prompt=[body["prompt"], text, "ya"])),
    "logit bias": _completion(lambda body, text: body.update(logit_bias={text: 1})),
    "stop": _completion(lambda body, text: body.update(stop=[text])),
    "user id": _completion(lambda body, text: body.update(user=text)),
    "unknown field": _completion(lambda body, text: body.update(x={"y": text})),
}
EMBEDDINGS: Mapping[str, Place] = {
    "input": plain("/v1/embeddings", "input"),
    "input in a list": plain("/v1/embeddings", "input", lambda text: ["hola", text]),
    "user id": beside(
        "/v1/embeddings", lambda said: {"input": said}, lambda body, text: body.update(user=text), left_out=False
    ),
}
RERANK: Mapping[str, Place] = {
    "query": plain("/v1/rerank", "query", documents=["a", "b"]),
    "document": beside(
        "/v1/rerank",
        lambda said: {"query": said},
        lambda body, text: body.update(documents=[{"text": text}]),
        left_out=False,
    ),
}
