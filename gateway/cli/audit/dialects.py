"""Where a canary can stand in the other dialects; all places by dialect; parts that nobody can read."""

import base64
import json
from collections.abc import Callable, Mapping

from gateway.cli.audit.places import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    RERANK,
    Body,
    Place,
    beside,
    chat,
    parameters,
    plain,
    put_first,
    put_said,
    put_tool,
    streamed,
)

_SMALL_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def _response(change: Callable[[Body, str], object], *, left_out: bool = False) -> Place:
    def base(said: str) -> Body:
        return {"input": [{"role": "user", "content": said}], "max_output_tokens": 16}

    return beside("/v1/responses", base, change, left_out)


def _item(**item: object) -> Callable[[Body, str], object]:
    """Return a change that adds an item, in which the text stands wherever a value is `str`."""

    def change(body: Body, text: str) -> None:
        body["input"].append({key: text if value is str else value for key, value in item.items()})

    return change


_RESPONSES: Mapping[str, Place] = {
    "input": plain("/v1/responses", "input"),
    "input, streamed": plain("/v1/responses", "input", stream=True),
    "message": _response(_item(role="user", content=str)),
    "part": _response(
        lambda body, text: body["input"].append({"role": "user", "content": [{"type": "input_text", "text": text}]})
    ),
    "instructions": _response(lambda body, text: body.update(instructions=text)),
    "call": _response(
        lambda body, text: body["input"].append(
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"a": text})}
        )
    ),
    "custom call": _response(_item(type="custom_tool_call", call_id="c", name="f", input=str)),
    "call output": _response(_item(type="function_call_output", call_id="c", output=str)),
    "reasoning": _response(
        lambda body, text: body["input"].extend(
            [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]},
                {"role": "assistant", "content": "ok"},
            ]
        )
    ),
    "tool": _response(
        lambda body, text: body.update(
            tools=[{"type": "function", "name": "f", "description": text, "parameters": {"type": "object"}}]
        )
    ),
    "answer schema": _response(
        lambda body, text: body.update(
            text={"format": {"type": "json_schema", "name": "a", "schema": parameters(a={"description": text})}}
        )
    ),
    "metadata": _response(lambda body, text: body.update(metadata={"note": text}), left_out=True),
    "user id": _response(lambda body, text: body.update(user=text), left_out=True),
}


def _message(change: Callable[[Body, str], object], *, left_out: bool = False) -> Place:
    def base(said: str) -> Body:
        return {"max_tokens": 5, "messages": [{"role": "user", "content": said}]}

    return beside("/v1/messages", base, change, left_out)


def _blocks(role: str, **block: object) -> Callable[[Body, str], object]:
    def change(body: Body, text: str) -> None:
        made = json.loads(json.dumps(block).replace('"TEXT"', json.dumps(text)))
        if role == "user" and made["type"] == "tool_result":
            use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
            body["messages"].append({"role": "assistant", "content": [use]})
        body["messages"].append({"role": role, "content": [made]})

    return change


_ANTHROPIC: Mapping[str, Place] = {
    "user": _message(lambda body, text: body["messages"].append({"role": "user", "content": text})),
    "user, streamed": _message(streamed(put_said)),
    "block": _message(_blocks("user", type="text", text="TEXT")),
    "assistant": _message(_blocks("assistant", type="text", text="TEXT")),
    "thinking": _message(_blocks("assistant", type="thinking", thinking="TEXT", signature="x")),
    "tool use": _message(_blocks("assistant", type="tool_use", id="t", name="f", input={"a": "TEXT"})),
    "tool result": _message(_blocks("user", type="tool_result", tool_use_id="t", content="TEXT")),
    "document": _message(
        _blocks("user", type="document", source={"type": "text", "media_type": "text/plain", "data": "TEXT"})
    ),
    "document title": _message(
        _blocks("user", type="document", title="TEXT", source={"type": "text", "media_type": "text/plain", "data": "x"})
    ),
    "search result": _message(
        _blocks("user", type="search_result", title="TEXT", source="x", content=[{"type": "text", "text": "x"}])
    ),
    "system": _message(lambda body, text: body.update(system=text)),
    "system block": _message(lambda body, text: body.update(system=[{"type": "text", "text": text}])),
    "tool": _message(
        lambda body, text: body.update(
            tools=[{"name": "f", "description": text, "input_schema": parameters(a={"description": text})}]
        )
    ),
    "stop": _message(lambda body, text: body.update(stop_sequences=[text])),
    "user id": _message(lambda body, text: body.update(metadata={"user_id": text})),
    "unknown field": _message(lambda body, text: body.update(x={"y": text}), left_out=True),
}


def _ollama(change: Callable[[Body, str], object]) -> Place:
    def base(said: str) -> Body:
        return {"stream": False, "messages": [{"role": "user", "content": said}]}

    return beside("/api/chat", base, change, left_out=False)


_OLLAMA: Mapping[str, Place] = {
    "chat": _ollama(lambda body, text: put_said(body, text)),
    "chat, streamed": _ollama(streamed(put_said)),
    "chat, system": _ollama(lambda body, text: put_first(body, "system", text)),
    "chat, assistant": _ollama(lambda body, text: put_first(body, "assistant", text)),
    "chat, call": _ollama(
        lambda body, text: body["messages"].append(
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": text}}}]}
        )
    ),
    "chat, tool": _ollama(lambda body, text: put_tool(body, description=text)),
    "chat, format": _ollama(lambda body, text: body.update(format=parameters(a={"description": text}))),
    "chat, stop": _ollama(lambda body, text: body.update(options={"stop": [text]})),
    "generate": plain("/api/generate", "prompt", stream=False),
    "generate, streamed": plain("/api/generate", "prompt"),
    "generate, raw": plain("/api/generate", "prompt", stream=False, raw=True),
    "generate, system": beside(
        "/api/generate",
        lambda said: {"prompt": said, "stream": False},
        lambda body, text: body.update(system=text),
        left_out=False,
    ),
    "embed": plain("/api/embed", "input"),
    "embed, list": plain("/api/embed", "input", lambda text: ["hola", text]),
    "embeddings": plain("/api/embeddings", "prompt"),
}
PLACES: Mapping[str, Mapping[str, Place]] = {
    "chat": CHAT,
    "completions": COMPLETIONS,
    "embeddings": EMBEDDINGS,
    "rerank": RERANK,
    "Responses": _RESPONSES,
    "Anthropic": _ANTHROPIC,
    "Ollama": _OLLAMA,
}
# Every way of asking for an answer that could go to a cloud.
TALKING: Mapping[str, Place] = {
    "chat": CHAT["user"],
    "chat, streamed": CHAT["user, streamed"],
    "completions": COMPLETIONS["prompt"],
    "completions, streamed": COMPLETIONS["prompt, streamed"],
    "embeddings": EMBEDDINGS["input"],
    "Responses": _RESPONSES["input"],
    "Responses, streamed": _RESPONSES["input, streamed"],
    "Anthropic": _ANTHROPIC["user"],
    "Anthropic, streamed": _ANTHROPIC["user, streamed"],
    "Ollama chat": _OLLAMA["chat"],
    "Ollama chat, streamed": _OLLAMA["chat, streamed"],
    "Ollama generate": _OLLAMA["generate"],
    "Ollama embed": _OLLAMA["embed"],
}


def _parts(*parts: Body) -> Place:
    return chat(lambda body, text: put_said(body, list(parts)))


UNREADABLE: Mapping[str, Place] = {
    "image by address": _parts({"type": "image_url", "image_url": {"url": "https://example.org/scan.png"}}),
    "image": _parts({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_SMALL_PNG}"}}),
    "audio": _parts({"type": "input_audio", "input_audio": {"data": _SMALL_PNG, "format": "wav"}}),
    "file": _parts(
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}
    ),
    "file by id": _parts({"type": "file", "file": {"file_id": "file-1"}}),
    "part of unknown type": _parts({"type": "hologram", "data": "x"}),
    "token numbers": beside(
        "/v1/completions", lambda said: {"user": said}, lambda body, text: body.update(prompt=[1, 2, 3]), left_out=False
    ),
    "Anthropic image": _message(
        _blocks("user", type="image", source={"type": "base64", "media_type": "image/png", "data": _SMALL_PNG})
    ),
    "Ollama image": _ollama(
        lambda body, text: body["messages"].append({"role": "user", "content": "mira", "images": [_SMALL_PNG]})
    ),
    "Responses image": _response(
        lambda body, text: body["input"].append(
            {"role": "user", "content": [{"type": "input_image", "image_url": f"data:image/png;base64,{_SMALL_PNG}"}]}
        )
    ),
}
