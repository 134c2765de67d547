"""A door before the gateway behind which every stored object exists that a suite asks for.

The SDKs' own tests are written for a mock that answers any id. Here each id that a test made up is replaced by that of
an object which is stored for it first, by the gateway itself; nothing else of a request or an answer is changed.
"""

import asyncio
import contextlib
import json
import re
from typing import Any

import aiohttp
from aiohttp import web

Document = dict[str, Any]
_HOP = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "content-encoding"})
_ASKED = {"model": "auto", "input": "Hello"}
_ITEMS = {"items": [{"type": "message", "role": "user", "content": "Hello"}]}
_CHAT = {"model": "auto", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}
_URL = "/v1/chat/completions"
_MANY = 300  # requests of a batch that is to be cancelled before it has ended
_NO_IDS = ("input_tokens", "compact")
# The paths that name an object, and what is laid for it.
_PATHS = {
    re.compile(r"(/v1/responses/)([^/]+)(.*)"): "response",
    re.compile(r"(/v1/conversations/)([^/]+)(.*)"): "conversation",
    re.compile(r"(/v1/files/)([^/]+)(.*)"): "file",
    re.compile(r"(/v1/batches/)([^/]+)(.*)"): "batch",
    re.compile(r"(/v1/messages/batches/)([^/]+)(.*)"): "message batch",
}
_ITEM = re.compile(r"/v1/conversations/[^/]+/items/[^/]+")
_STORED = ("/v1/files", "/v1/batches", "/v1/responses", "/v1/conversations")
_LISTS = {"/v1/files": "file", "/v1/batches": "batch"}
# The fields of bodies that name one.
_FIELDS = {"previous_response_id": "response", "conversation": "conversation", "input_file_id": "file"}


class LaidObjects:
    """`async with LaidObjects(gateway_url) as door:` then `door.url`."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self.url = ""

    async def __aenter__(self) -> "LaidObjects":
        self._client = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{tail:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()
        await self._client.close()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, with real ids, and its answer back."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        body = await request.read()
        if request.content_type == "application/json" and body:
            body = await self._with_fields(json.loads(body))
        path, query = await self._with_path(request.path), dict(request.query)
        if "after" in query and path.startswith(_STORED):
            query["after"] = await self._last_of(path)
        sent = self._client.request(request.method, self._gateway + path, params=query, headers=headers, data=body)
        async with sent as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            with contextlib.suppress(ConnectionResetError):  # the client has read what it wanted
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
            return response

    async def _with_fields(self, document: Document) -> bytes:
        for name, kind in _FIELDS.items():
            if isinstance(document.get(name), str):
                document[name] = await self._lay(kind)
        return json.dumps(document).encode()

    async def _with_path(self, path: str) -> str:
        found = _ITEM.fullmatch(path)
        if found is not None:
            conversation = await self._lay("conversation")
            return f"/v1/conversations/{conversation}/items/{await self._first_item(conversation)}"
        for pattern, kind in _PATHS.items():
            found = pattern.fullmatch(path)
            if found is not None and found.group(2) not in _NO_IDS:
                requests = _MANY if found.group(3) == "/cancel" else 1
                return f"{found.group(1)}{await self._lay(kind, requests)}{found.group(3)}"
        return path

    async def _last_of(self, path: str) -> str:
        """Return the id of something in a list, as one that a page can begin after."""
        if path in _LISTS:
            return await self._lay(_LISTS[path])
        found = await self._asked("GET", path)
        return str(found["data"][0]["id"])

    async def _first_item(self, conversation: str) -> str:
        found = await self._asked("GET", f"/v1/conversations/{conversation}/items")
        return str(found["data"][0]["id"])

    async def _lay(self, kind: str, requests: int = 1) -> str:
        """Have an object stored, a batch with so many requests, and return its id."""
        match kind:
            case "response":
                made = await self._asked("POST", "/v1/responses", json=_ASKED)
            case "conversation":
                made = await self._asked("POST", "/v1/conversations", json=_ITEMS)
            case "file":
                lines = [_line(number) for number in range(requests)]
                form = aiohttp.FormData({"purpose": "batch"})
                form.add_field("file", "\n".join(map(json.dumps, lines)).encode(), filename="lines.jsonl")
                made = await self._asked("POST", "/v1/files", data=form)
            case "batch":
                wanted = {"input_file_id": await self._lay("file", requests), "completion_window": "24h"}
                made = await self._asked("POST", "/v1/batches", json=wanted | {"endpoint": _URL})
            case _:
                asked = [{"custom_id": str(number), "params": _CHAT} for number in range(requests)]
                made = await self._asked("POST", "/v1/messages/batches", json={"requests": asked})
                await self._until_ended(made["id"], requests)
        return str(made["id"])

    async def _until_ended(self, batch: str, requests: int) -> None:
        """Wait for a batch's end, unless it is one to be cancelled."""
        async with asyncio.timeout(60):
            path = f"/v1/messages/batches/{batch}"
            while requests == 1 and (await self._asked("GET", path))["processing_status"] != "ended":  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)

    async def _asked(self, method: str, path: str, **sent: Any) -> Document:
        async with self._client.request(method, self._gateway + path, **sent) as answer:
            told: Document = json.loads(await answer.read())
            assert answer.status == 200, told
            return told


def _line(number: int) -> Document:
    return {"custom_id": str(number), "method": "POST", "url": _URL, "body": _CHAT}
