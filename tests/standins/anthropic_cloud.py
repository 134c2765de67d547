"""A stand-in for Anthropic's cloud on loopback: strict about what it takes, and it keeps every byte that arrived.

With `thinking` it thinks and signs, and takes no turn back whose thoughts are not as it signed them. With tools it
calls the first one, until it has a result.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from aiohttp import web

from tests.standins.cloud import StandInCloud

SIGNATURE = (
    "nz4CK48H+1XSIv4ntPy46EvtOIPhdvDzxurs3ZK8L8tgx6++mlB1HWKblD365YybTVgxnCGw5yf/eogW/P7/+cSKrtbXDTOTkpN3P03qrgNH"
)
THOUGHT = "The tool knows."
_TOP = frozenset(
    [
        "model",
        "messages",
        "max_tokens",
        "system",
        "stream",
        "stop_sequences",
        "temperature",
        "top_p",
        "top_k",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
        "service_tier",
        "metadata",
    ]
)
_BLOCKS = {
    "text": {"text", "citations"},
    "image": {"source"},
    "document": {"source", "title", "context", "citations"},
    "tool_use": {"id", "name", "input"},
    "tool_result": {"tool_use_id", "content", "is_error"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
}


class StandInAnthropic(StandInCloud):
    """`async with StandInAnthropic() as cloud:` then `cloud.address`, `cloud.documents`."""

    @property
    def address(self) -> str:
        """The address without a path."""
        return self.base_url.removesuffix("/v1")

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The bodies that arrived."""
        return [json.loads(body) for body in self.bodies]

    def add_routes(self, app: web.Application) -> None:
        """Serve Anthropic's route alone."""
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count)

    async def _count(self, request: web.Request) -> web.StreamResponse:
        document: dict[str, Any] = dict(await self._keep(request))
        if problem := next(_problems(document | {"max_tokens": document.get("max_tokens", 1)}), None):
            return web.json_response({"type": "error", "error": {"message": problem}}, status=400)
        if {"max_tokens", "stream"} & document.keys():
            return web.json_response({"type": "error", "error": {"message": "Extra inputs"}}, status=400)
        return web.json_response({"input_tokens": 4711})

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        document: dict[str, Any] = dict(await self._keep(request))
        if problem := next(_problems(document), None):
            error = {"type": "invalid_request_error", "message": problem}
            return web.json_response({"type": "error", "error": error}, status=400)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for fields in self._events(document):
            data = json.dumps(fields).encode()
            await response.write(b"event: " + fields["type"].encode() + b"\ndata: " + data + b"\n\n")
        await response.write_eof()
        return response

    def _events(self, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
        usage = {
            "input_tokens": 11,
            "cache_creation_input_tokens": 100,
            "cache_read_input_tokens": 1000,
            "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
            "output_tokens": 1,
        }
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": document["model"], "content": []}
        yield {"type": "message_start", "message": message | {"stop_reason": None, "usage": usage}}
        yield {"type": "ping"}
        blocks = list(self._blocks(document))
        for index, (block, deltas) in enumerate(blocks):
            yield {"type": "content_block_start", "index": index, "content_block": block}
            for delta in deltas:
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        reason = "tool_use" if blocks[-1][0]["type"] == "tool_use" else "end_turn"
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": 30, "output_tokens_details": {"thinking_tokens": 20}},
        }
        yield {"type": "message_stop"}

    def _blocks(self, document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        if document.get("thinking", {}).get("type") in ("enabled", "adaptive"):
            words = [{"type": "thinking_delta", "thinking": piece} for piece in (THOUGHT[:4], THOUGHT[4:])]
            signed = {"type": "signature_delta", "signature": SIGNATURE}
            yield {"type": "thinking", "thinking": "", "signature": ""}, [*words, signed]
            yield {"type": "redacted_thinking", "data": SIGNATURE[::-1]}, []
        last = document["messages"][-1]["content"]
        results = any(block["type"] == "tool_result" for block in last)
        if document.get("tools") and not results:
            name = document["tools"][0]["name"]
            pieces = [{"type": "input_json_delta", "partial_json": one} for one in ("", '{"q":', '"x"}')]
            yield {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}, pieces
            return
        text = [{"type": "text_delta", "text": word + " "} for word in self.answer.split()]
        yield {"type": "text", "text": ""}, text


def _problems(document: dict[str, Any]) -> Iterator[str]:
    """Yield what Anthropic's API would refuse."""
    yield from (f"{name}: Extra inputs are not permitted" for name in document.keys() - _TOP)
    if not isinstance(document.get("max_tokens"), int):
        yield "max_tokens: Field required"
    roles = [message["role"] for message in document["messages"]]
    if roles[0] != "user" or any(one == other for one, other in pairwise(roles)):
        yield "messages: roles must alternate, the user's first"
    for message in document["messages"]:
        for block in message["content"]:
            allowed = _BLOCKS.get(block["type"], set()) | {"type", "cache_control"}
            yield from (f"{block['type']}.{name}: Extra inputs are not permitted" for name in block.keys() - allowed)
            if block["type"] == "text" and not block["text"]:
                yield "text content blocks must be non-empty"
            if block["type"] == "thinking" and (block["thinking"], block["signature"]) != (THOUGHT, SIGNATURE):
                yield "Invalid `signature` in `thinking` block"
        kinds = [block["type"] for block in message["content"]]
        thinks = document.get("thinking", {}).get("type") == "enabled"
        if message["role"] == "assistant" and "tool_use" in kinds:
            if thinks and kinds[0] not in ("thinking", "redacted_thinking"):
                yield "Expected `thinking`, but found `tool_use`"
            if not document.get("tools"):
                yield "Requests which include `tool_use` blocks must define tools"
