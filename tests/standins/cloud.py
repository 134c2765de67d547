"""A stand-in cloud on loopback: speaks the OpenAI API and keeps every byte that arrived.

Its log is what the guarantee is checked against: what is not in it did not leave.
"""

import asyncio
import json
import socket

from aiohttp import web


class StandInCloud:
    """`async with StandInCloud() as cloud:` then `cloud.base_url`, `cloud.bodies`."""

    def __init__(self, answer: str = "The cloud says hello.") -> None:
        self.answer = answer
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.base_url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "StandInCloud":
        app = web.Application(client_max_size=2**30)
        self.add_routes(app)
        app.router.add_route("*", "/{tail:.*}", self._anything)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        listening = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(self._runner, listening).start()
        self.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def add_routes(self, app: web.Application) -> None:
        """Serve the routes of this cloud's API."""
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embed)

    @property
    def arrived(self) -> str:
        """Everything that arrived, as text."""
        return b"\n".join(self.bodies).decode("utf-8", "replace")

    async def _keep(self, request: web.Request) -> dict[str, object]:
        body = await request.read()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        return json.loads(body) if body else {}

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        document = await self._keep(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in self.answer.split(" "):
            await response.write(self._frame({"content": word + " "}, None, document))
            await asyncio.sleep(0)
        await response.write(self._frame({}, "stop", document))
        usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
        head = {"id": "chatcmpl-standin", "object": "chat.completion.chunk", "created": 1}
        tail = head | {"choices": [], "usage": usage}
        await response.write(b"data: " + json.dumps(tail).encode() + b"\n\ndata: [DONE]\n\n")
        await response.write_eof()
        return response

    def _frame(self, delta: dict[str, str], finish: str | None, document: dict[str, object]) -> bytes:
        chunk = {
            "id": "chatcmpl-standin",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": document.get("model"),
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    async def _embed(self, request: web.Request) -> web.Response:
        document = await self._keep(request)
        inputs = document["input"] if isinstance(document["input"], list) else [document["input"]]
        data = [{"object": "embedding", "index": i, "embedding": [0.0, 1.0]} for i, _ in enumerate(inputs)]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return web.json_response({"object": "list", "model": document["model"], "data": data, "usage": usage})

    async def _anything(self, request: web.Request) -> web.Response:
        await self._keep(request)
        return web.json_response({"error": {"message": "no such route"}}, status=404)
