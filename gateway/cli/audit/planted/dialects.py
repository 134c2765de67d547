"""Where a canary can stand in the dialects besides OpenAI's chat; all places by dialect; all ways of asking."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from gateway.cli.audit.planted.places import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    RERANK,
    Body,
    Place,
    beside,
    parameters,
    plain,
    put_first,
    put_said,
    put_tool,
    streamed,
)


def response(change: Callable[[Body, str], object], *, left_out: bool = False) -> Place:
    """Return a place in a body of Responses, where `change` puts the text."""

    def base(said: str) -> Body:
        return {"input": [{"role": "user", "content": said}], "max_output_tokens": 16}

    return beside("/v1/responses", base, change, left_out)


def _filled(value: object, text: str) -> Any:
    """Return the value with the text wherever `str` stands."""
    match value:
        case dict():
            return {key: _filled(part, text) for key, part in value.items()}
        case list():
            return [_filled(part, text) for part in value]
        case _:
            return text if value is str else value


def item(**item: object) -> Callable[[Body, str], object]:
    """Return a change that adds an item, in which the text stands wherever a value is `str`."""

    def change(body: Body, text: str) -> None:
        body["input"].append(_filled(item, text))

    return change


_RESPONSES: Mapping[str, Place] = {
    "input": plain("/v1/responses", "input"),
    "input, streamed": plain("/v1/responses", "input", stream=True),
    "message": response(item(role="user", content=str)),
    "part": response(
        lambda body, text: body["input"].append({"role": "user", "content": [{"type": "input_text", "text": text}]})
    ),
    "instructions": response(lambda body, text: body.update(instructions=text)),
    "call": response(
        lambda body, text: body["input"].append(
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"a": text})}
        )
    ),
    "custom call": response(item(type="custom_tool_call", call_id="c", name="f", input=str)),
    "call output": response(item(type="function_call_output", call_id="c", output=str)),
    "reasoning": response(
        lambda body, text: body["input"].extend(
            [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]},
                {"role": "assistant", "content": "ok"},
            ]
        )
    ),
    "reasoning content": response(
        lambda body, text: body["input"].extend(
            [
                {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text}]},
                {"role": "assistant", "content": "ok"},
            ]
        )
    ),
    "call output, parts": response(
        item(type="function_call_output", call_id="c", output=[{"type": "input_text", "text": str}])
    ),
    "shell call": response(item(type="local_shell_call", call_id="c", action={"type": "exec", "command": ["sh", str]})),
    "MCP call": response(item(type="mcp_call", id="m", server_label="s", name="f", arguments="{}", output=str)),
    "search call": response(item(type="web_search_call", id="w", action={"type": "search", "query": str})),
    "answer so far": response(item(role="assistant", content=[{"type": "output_text", "text": str}])),
    "cache key": response(lambda body, text: body.update(prompt_cache_key=text), left_out=True),
    "prompt variable": response(lambda body, text: body.update(prompt={"id": "p", "variables": {"a": text}})),
    "unknown field": response(lambda body, text: body.update(x={"y": text}), left_out=True),
    "tool": response(
        lambda body, text: body.update(
            tools=[{"type": "function", "name": "f", "description": text, "parameters": {"type": "object"}}]
        )
    ),
    "answer schema": response(
        lambda body, text: body.update(
            text={"format": {"type": "json_schema", "name": "a", "schema": parameters(a={"description": text})}}
        )
    ),
    "metadata": response(lambda body, text: body.update(metadata={"note": text}), left_out=True),
    "user id": response(lambda body, text: body.update(user=text), left_out=True),
}


def message(change: Callable[[Body, str], object], *, left_out: bool = False) -> Place:
    """Return a place in a body of Anthropic's messages, where `change` puts the text."""

    def base(said: str) -> Body:
        return {"max_tokens": 5, "messages": [{"role": "user", "content": said}]}

    return beside("/v1/messages", base, change, left_out)


def blocks(role: str, **block: object) -> Callable[[Body, str], object]:
    """Return a change that adds a message of one block, in which the text stands wherever a value is `TEXT`."""

    def change(body: Body, text: str) -> None:
        made = json.loads(json.dumps(block).replace('"TEXT"', json.dumps(text)))
        if role == "user" and made["type"] == "tool_result":
            use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
            body["messages"].append({"role": "assistant", "content": [use]})
        body["messages"].append({"role": role, "content": [made]})

    return change


_ANTHROPIC: Mapping[str, Place] = {
    "user": message(lambda body, text: body["messages"].append({"role": "user", "content": text})),
    "user, streamed": message(streamed(put_said)),
    "block": message(blocks("user", type="text", text="TEXT")),
    "assistant": message(blocks("assistant", type="text", text="TEXT")),
    "thinking": message(blocks("assistant", type="thinking", thinking="TEXT", signature="x")),
    "hidden thinking": message(blocks("assistant", type="redacted_thinking", data="TEXT"), left_out=True),
    "tool result, blocks": message(
        blocks("user", type="tool_result", tool_use_id="t", content=[{"type": "text", "text": "TEXT"}])
    ),
    "citation": message(
        blocks("assistant", type="text", text="ok", citations=[{"type": "char_location", "cited_text": "TEXT"}]),
        left_out=True,
    ),
    "search answer": message(
        blocks("user", type="search_result", title="x", source="x", content=[{"type": "text", "text": "TEXT"}])
    ),
    "document, context": message(
        blocks(
            "user", type="document", context="TEXT", source={"type": "text", "media_type": "text/plain", "data": "x"}
        )
    ),
    "tool enum": message(
        lambda body, text: body.update(tools=[{"name": "f", "input_schema": parameters(a={"enum": [text]})}])
    ),
    "tool example": message(
        lambda body, text: body.update(
            tools=[{"name": "f", "input_schema": {"type": "object"}, "input_examples": [{"a": text}]}]
        )
    ),
    "tool use": message(blocks("assistant", type="tool_use", id="t", name="f", input={"a": "TEXT"})),
    "tool result": message(blocks("user", type="tool_result", tool_use_id="t", content="TEXT")),
    "document": message(
        blocks("user", type="document", source={"type": "text", "media_type": "text/plain", "data": "TEXT"})
    ),
    "document title": message(
        blocks("user", type="document", title="TEXT", source={"type": "text", "media_type": "text/plain", "data": "x"})
    ),
    "search result": message(
        blocks("user", type="search_result", title="TEXT", source="x", content=[{"type": "text", "text": "x"}])
    ),
    "system": message(lambda body, text: body.update(system=text)),
    "system block": message(lambda body, text: body.update(system=[{"type": "text", "text": text}])),
    "tool": message(
        lambda body, text: body.update(
            tools=[{"name": "f", "description": text, "input_schema": parameters(a={"description": text})}]
        )
    ),
    "stop": message(lambda body, text: body.update(stop_sequences=[text])),
    "user id": message(lambda body, text: body.update(metadata={"user_id": text})),
    "unknown field": message(lambda body, text: body.update(x={"y": text}), left_out=True),
}


def ollama(change: Callable[[Body, str], object], *, left_out: bool = False) -> Place:
    """Return a place in a body of Ollama's chat, where `change` puts the text."""

    def base(said: str) -> Body:
        return {"stream": False, "messages": [{"role": "user", "content": said}]}

    return beside("/api/chat", base, change, left_out)


def _generate(change: Callable[[Body, str], object], *, left_out: bool = False) -> Place:
    return beside("/api/generate", lambda said: {"prompt": said, "stream": False}, change, left_out)


_OLLAMA: Mapping[str, Place] = {
    "chat": ollama(lambda body, text: put_said(body, text)),
    "chat, streamed": ollama(streamed(put_said)),
    "chat, system": ollama(lambda body, text: put_first(body, "system", text)),
    "chat, assistant": ollama(lambda body, text: put_first(body, "assistant", text)),
    "chat, call": ollama(
        lambda body, text: body["messages"].append(
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": text}}}]}
        )
    ),
    "chat, tool": ollama(lambda body, text: put_tool(body, description=text)),
    "chat, format": ollama(lambda body, text: body.update(format=parameters(a={"description": text}))),
    "chat, stop": ollama(lambda body, text: body.update(options={"stop": [text]})),
    "chat, thinking": ollama(
        lambda body, text: body["messages"].insert(0, {"role": "assistant", "content": "ok", "thinking": text})
    ),
    "chat, tool result": ollama(
        lambda body, text: body["messages"].append({"role": "tool", "tool_name": "f", "content": text})
    ),
    "chat, format enum": ollama(lambda body, text: body.update(format=parameters(a={"enum": [text]}))),
    "chat, unknown field": ollama(lambda body, text: body.update(x={"y": text}), left_out=True),
    "generate, suffix": _generate(lambda body, text: body.update(suffix=text)),
    "generate, template": _generate(lambda body, text: body.update(template=text), left_out=True),
    "generate, format": _generate(lambda body, text: body.update(format=parameters(a={"description": text}))),
    "generate, system": _generate(lambda body, text: body.update(system=text)),
    "generate": plain("/api/generate", "prompt", stream=False),
    "generate, streamed": plain("/api/generate", "prompt"),
    "generate, raw": plain("/api/generate", "prompt", stream=False, raw=True),
    "embed": plain("/api/embed", "input"),
    "embed, list": plain("/api/embed", "input", lambda text: ["hola", text]),
    "embeddings": plain("/api/embeddings", "prompt"),
}


def _infill(change: Callable[[Body, str], object]) -> Place:
    return beside("/infill", lambda said: {"input_prefix": said, "input_suffix": "x"}, change, left_out=False)


_LLAMACPP: Mapping[str, Place] = {
    "completion": plain("/completion", "prompt"),
    "completion, streamed": plain("/completion", "prompt", stream=True),
    "completion, shared address": plain("/completions", "prompt", n_predict=4),
    "completion, grammar": beside(
        "/completion",
        lambda said: {"prompt": said},
        lambda body, text: body.update(json_schema=parameters(a={"description": text})),
        left_out=False,
    ),
    "embedding": plain("/embedding", "content"),
    "embeddings, content": plain("/embeddings", "content", lambda text: [{"prompt_string": text}]),
    "infill, prefix": plain("/infill", "input_prefix", input_suffix="x"),
    "infill, suffix": _infill(lambda body, text: body.update(input_suffix=text)),
    "infill, prompt": _infill(lambda body, text: body.update(prompt=text)),
    "infill, other file": _infill(lambda body, text: body.update(input_extra=[{"filename": "a.py", "text": text}])),
    "infill, file name": _infill(lambda body, text: body.update(input_extra=[{"filename": text, "text": "x"}])),
}
PLACES: Mapping[str, Mapping[str, Place]] = {
    "chat": CHAT,
    "completions": COMPLETIONS,
    "embeddings": EMBEDDINGS,
    "rerank": RERANK,
    "Responses": _RESPONSES,
    "Anthropic": _ANTHROPIC,
    "Ollama": _OLLAMA,
    "llama.cpp": _LLAMACPP,
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
