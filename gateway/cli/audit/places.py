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


def chat(change: Callable[[Body, str], object], path: str = "/v1/chat/completions") -> Place:
    """Return a place in a chat body, where `change` puts the text; the marker is the user's first word."""

    def body(marker: str, text: str) -> Body:
        made: Body = {"model": "auto", "max_tokens": 5, "messages": [{"role": "user", "content": f"{marker} hola"}]}
        change(made, text)
        return made

    return Place(path=path, body=body)


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
    "metadata": chat(lambda body, text: body.update(metadata={"note": text})),
    "metadata key": chat(lambda body, text: body.update(metadata={text[:60]: "x"})),
    "stop": chat(lambda body, text: body.update(stop=[text])),
    "user id": chat(lambda body, text: body.update(user=text)),
    "prediction": chat(lambda body, text: body.update(prediction={"type": "content", "content": text})),
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
