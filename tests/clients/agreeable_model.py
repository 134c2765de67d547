"""A model that does whatever the form of a request asks for, and thinks nothing: for suites that look at forms."""

import json
import re
from typing import Any

from aiohttp import web

from tests.standins.cloud import StandInCloud

Document = dict[str, Any]
_SIMPLE = {"integer": 3, "number": 0.5, "boolean": False, "null": None}
_FOREIGN = re.compile(r"[^\x00-\x7f]+")


class AgreeableModel(StandInCloud):
    """Calls the tool that is wanted, fills the schema that is given, else says one sentence."""

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        document = await self._keep(request)
        deltas, finish = self._answer(document)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta in deltas:
            await response.write(self._frame(delta, None, document))
        await response.write(self._frame({}, finish, document))
        await self._end(response)
        return response

    async def _anything(self, request: web.Request) -> web.Response:
        if request.path != "/v1/completions":
            return await super()._anything(request)
        document = await self._keep(request)
        head = {"id": "cmpl-standin", "object": "text_completion", "created": 1, "model": document.get("model")}
        chunk = head | {"choices": [{"index": 0, "text": self.answer, "finish_reason": "stop", "logprobs": None}]}
        tail = head | {"choices": [], "usage": _USAGE}
        lines = [f"data: {json.dumps(one)}\n\n" for one in (chunk, tail)]
        return web.Response(text="".join([*lines, "data: [DONE]\n\n"]), content_type="text/event-stream")

    async def _embed(self, request: web.Request) -> web.Response:
        document = await self._keep(request)
        inputs = document["input"] if isinstance(document["input"], list) else [document["input"]]
        vector = [1.0] + [0.0] * (document.get("dimensions", 8) - 1)
        data = [{"object": "embedding", "index": place, "embedding": vector} for place, _ in enumerate(inputs)]
        return web.json_response({"object": "list", "model": document["model"], "data": data, "usage": _USAGE})

    def _answer(self, document: Document) -> tuple[list[Document], str]:
        """Return the deltas of an answer, and how it ends."""
        word = _word(document)
        if tool := _wanted_tool(document):
            head = {"name": tool["name"], "arguments": ""}
            schema = tool.get("parameters", {})
            arguments = json.dumps(instance(schema, schema, word))
            call = {"index": 0, "id": f"call_{len(document['messages'])}", "type": "function", "function": head}
            rest = [{"index": 0, "function": {"arguments": piece}} for piece in re.findall(r"(?s).{1,16}", arguments)]
            return [{"tool_calls": [one]} for one in (call, *rest)], "tool_calls"
        wanted = document.get("response_format") or {}
        if schema := wanted.get("json_schema", {}).get("schema"):
            return [{"content": json.dumps(instance(schema, schema, word))}], "stop"
        if wanted.get("type") == "json_object":
            return [{"content": '{"answer": "hello"}'}], "stop"
        words = self.answer.split(" ")
        most = document.get("max_completion_tokens") or document.get("max_tokens") or len(words)
        return [{"content": one + " "} for one in words[:most]], "length" if most < len(words) else "stop"

    async def _end(self, response: web.StreamResponse) -> None:
        tail = {
            "id": "chatcmpl-standin",
            "object": "chat.completion.chunk",
            "created": 1,
            "choices": [],
            "usage": _USAGE,
        }
        await response.write(b"data: " + json.dumps(tail).encode() + b"\n\ndata: [DONE]\n\n")
        await response.write_eof()


_USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


def _wanted_tool(document: Document) -> Document | None:
    """Return the tool to call: the one that is named, or the first one until there is a result."""
    tools = [tool["function"] for tool in document.get("tools") or ()]
    choice = document.get("tool_choice", "auto")
    if isinstance(choice, dict):
        name = choice.get("function", {}).get("name")
        return next((tool for tool in tools if tool["name"] == name), None)
    answered = document["messages"][-1]["role"] == "tool"
    return tools[0] if tools and choice != "none" and not answered else None


def _word(document: Document) -> str:
    """Return what texts are filled with: what the person wrote in letters of another script, else a greeting."""
    said = json.dumps(document["messages"][-1].get("content"), ensure_ascii=False)
    found = _FOREIGN.search(said)
    return found.group() if found else "hello"


def instance(schema: Any, root: Document, word: str) -> Any:
    """Return a value that fits a JSON schema, as small as it can be.

    Args:
        schema: What the value must fit.
        root: The document that its references point into.
        word: What texts are filled with.
    """
    if not isinstance(schema, dict):
        return word
    if "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return instance(found, root, word)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return instance(schema[key][0], root, word)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: instance(one, root, word) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {}), root, word)] * max(1, schema.get("minItems", 0))
    return word if kind == "string" else _SIMPLE[kind]
