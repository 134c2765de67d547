"""A stand-in for a cloud that speaks OpenAI's Responses API on loopback: strict, and it keeps every byte that arrived.

It seals its thoughts where that is asked for, and takes none back that it did not seal. With tools it calls the first
one, until it has an output.
"""

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from tests.standins.cloud import StandInCloud

SEALED = (
    "gAAAAABnz4CK48HXSIv4ntPy46EvtOIPhdvDzxurs3ZK8L8tgx6mlB1HWKblD365YybTVgxnCGw5yf"
    "_eogW_P7_cSKrtbXDTOTkpN3P03qrgNHYccVHxTz4cVHSKh8PpdzgBf1pDPIfs2zAakHjagxV"
)
THOUGHT_ID = "rs_0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978"
_TOP = frozenset(
    {
        "model",
        "input",
        "store",
        "stream",
        "include",
        "reasoning",
        "text",
        "tools",
        "tool_choice",
        "temperature",
        "top_p",
    }
    | {"parallel_tool_calls", "max_output_tokens", "service_tier", "prompt_cache_key", "top_logprobs"}
)


class StandInResponses(StandInCloud):
    """`async with StandInResponses() as cloud:` then `cloud.base_url`, `cloud.documents`."""

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The bodies that arrived."""
        return [json.loads(body) for body in self.bodies]

    def add_routes(self, app: web.Application) -> None:
        """Serve this API's route alone."""
        app.router.add_post("/v1/responses", self._respond)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        document: dict[str, Any] = dict(await self._keep(request))
        if problem := next(_problems(document), None):
            error = {"type": "invalid_request_error", "message": problem, "param": None, "code": None}
            return web.json_response({"error": error}, status=400)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for number, fields in enumerate(self._events(document)):
            data = json.dumps({"sequence_number": number, **fields}).encode()
            await response.write(b"event: " + fields["type"].encode() + b"\ndata: " + data + b"\n\n")
        await response.write_eof()
        return response

    def _events(self, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"type": "response.created", "response": {"status": "in_progress"}}
        place = 0
        if "reasoning.encrypted_content" in document.get("include", ()):
            item = {"type": "reasoning", "id": THOUGHT_ID, "summary": []}
            yield {"type": "response.output_item.added", "output_index": place, "item": item}
            done = item | {"encrypted_content": SEALED}
            yield {"type": "response.output_item.done", "output_index": place, "item": done}
            place = 1
        where = {"output_index": place}
        answered = any(item.get("type") == "function_call_output" for item in document["input"])
        if document.get("tools") and not answered:
            call = {"type": "function_call", "call_id": "call_1", "name": document["tools"][0]["name"], "arguments": ""}
            yield {"type": "response.output_item.added", **where, "item": call}
            for piece in ('{"q":', '"x"}'):
                yield {"type": "response.function_call_arguments.delta", **where, "delta": piece}
            yield {"type": "response.output_item.done", **where, "item": call | {"arguments": '{"q":"x"}'}}
        else:
            for word in self.answer.split():
                yield {"type": "response.output_text.delta", **where, "delta": word + " ", "logprobs": []}
        usage = {
            "input_tokens": 1100,
            "input_tokens_details": {"cached_tokens": 1000},
            "output_tokens": 30,
            "output_tokens_details": {"reasoning_tokens": 20},
            "total_tokens": 1130,
        }
        yield {"type": "response.completed", "response": {"object": "response", "status": "completed", "usage": usage}}


def _problems(document: dict[str, Any]) -> Iterator[str]:
    """Yield what the API would refuse."""
    yield from (f"Unknown parameter: {name}" for name in document.keys() - _TOP)
    if document.get("store") is not False:
        yield "store must be false here"
    items = document["input"]
    for item, following in zip(items, [*items[1:], {}], strict=True):
        if item.get("type") == "reasoning":
            if (item.get("encrypted_content"), item.get("id")) != (SEALED, THOUGHT_ID):
                yield "The encrypted content could not be verified."
            if following.get("type") != "function_call" and following.get("role") != "assistant":
                yield "Item of type 'reasoning' was provided without its required following item."
