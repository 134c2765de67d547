"""Stand-ins for servers that make pictures: each speaks one API on loopback, and keeps every byte that arrived."""

import asyncio
import base64
import email
import email.policy
import json
import struct
import zlib

from aiohttp import web

from tests.standins.cloud import StandInCloud


def png(width: int = 1, height: int = 1, shade: int = 0) -> bytes:
    """Return a grey picture of this size as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes([shade]) * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def encoded(shade: int = 0) -> str:
    """Return a picture's base64."""
    return base64.b64encode(png(shade=shade)).decode()


def form_of(content_type: str, body: bytes) -> dict[str, list[object]]:
    """Return a form's fields by name: texts, and files as (name, bytes)."""
    fields: dict[str, list[object]] = {}
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    for part in email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        file_name = part.get_filename()
        fields.setdefault(name, []).append(content.decode() if file_name is None else (file_name, content))
    return fields


class PictureServer(StandInCloud):
    """Server with OpenAI's image endpoints, as a cloud or stable-diffusion.cpp's sd-server has them.

    `previews`: it streams, with so many previews before the picture. `reports`: it says what tokens it used.
    """

    def __init__(self, *, previews: int | None = None, reports: bool = False) -> None:
        super().__init__()
        self.previews = previews
        self.reports = reports
        self.paths: list[str] = []
        self.forms: list[dict[str, list[object]]] = []

    def add_routes(self, app: web.Application) -> None:
        """Serve the image endpoints and a list of models."""
        super().add_routes(app)
        for work in ("generations", "edits", "variations"):
            app.router.add_post(f"/v1/images/{work}", self._images)
        app.router.add_get("/v1/models", self._models)

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "sd-cpp-local", "object": "model", "owned_by": "local"}]})

    async def _images(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.read())
        if request.content_type == "multipart/form-data":
            fields = form_of(request.headers["Content-Type"], self.bodies[-1])
            self.forms.append(fields)
            said = {name: values[-1] for name, values in fields.items()}
        else:
            said = json.loads(self.bodies[-1])
        usage = {"usage": {"input_tokens": 8, "output_tokens": 272, "total_tokens": 280}} if self.reports else {}
        if self.previews is not None and said.get("stream") in (True, "true"):
            return await self._streamed(request, usage)
        data = [{"b64_json": encoded(shade)} for shade in range(int(said.get("n", 1)))]
        return web.json_response({"created": 1, "data": data, "output_format": "png", **usage})

    async def _streamed(self, request: web.Request, usage: dict[str, object]) -> web.StreamResponse:
        kind = "image_edit" if request.path.endswith("edits") else "image_generation"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        facts = {"created_at": 1, "size": "1024x1024", "quality": "low", "output_format": "png"}
        for number in range(self.previews or 0):
            event = {"type": f"{kind}.partial_image", "b64_json": encoded(number), "partial_image_index": number}
            await response.write(_event(event | facts))
        await response.write(_event({"type": f"{kind}.completed", "b64_json": encoded(99)} | facts | usage))
        await response.write_eof()
        return response


def _event(fields: dict[str, object]) -> bytes:
    return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n".encode()


class WebUi(StandInCloud):
    """AUTOMATIC1111's web UI at home. With `gate`, a picture is finished when that is set; `share` is its progress."""

    def __init__(self, *, gate: asyncio.Event | None = None, share: float | None = 0.25) -> None:
        super().__init__()
        self.gate = gate
        self.share = share
        self.asked: list[dict[str, object]] = []
        self.begun = asyncio.Event()
        self.interrupted = asyncio.Event()

    @property
    def root(self) -> str:
        """The server's address."""
        return self.base_url.removesuffix("/v1")

    def add_routes(self, app: web.Application) -> None:
        """Serve the API below `/sdapi/v1`."""
        app.router.add_post("/sdapi/v1/txt2img", self._draw)
        app.router.add_post("/sdapi/v1/img2img", self._draw)
        app.router.add_post("/sdapi/v1/interrupt", self._interrupt)
        if self.share is not None:
            app.router.add_get("/sdapi/v1/progress", self._progress)

    async def _draw(self, request: web.Request) -> web.Response:
        said = await self._keep(request)
        self.asked.append(said)
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        images = [encoded(shade) for shade in range(int(said.get("batch_size", 1)))]  # type: ignore[arg-type]
        info = json.dumps({"seed": 42, "infotexts": [f"{said['prompt']}, Steps: {said.get('steps')}"]})
        return web.json_response({"images": images, "parameters": said, "info": info})

    async def _progress(self, _: web.Request) -> web.Response:
        return web.json_response({"progress": self.share, "eta_relative": 3.0, "state": {"job_count": 1}})

    async def _interrupt(self, _: web.Request) -> web.Response:
        self.interrupted.set()
        return web.json_response({})


class ComfyUi(StandInCloud):
    """ComfyUI at home: a queue, a history, files. `looks`: how often the history is empty before the work is done."""

    def __init__(self, *, looks: int = 1, fails: bool = False) -> None:
        super().__init__()
        self.looks = looks
        self.fails = fails
        self.queued: list[dict[str, object]] = []
        self.uploads: list[dict[str, list[object]]] = []
        self.told: list[tuple[str, object]] = []
        self.looked = asyncio.Event()

    @property
    def root(self) -> str:
        """The server's address."""
        return self.base_url.removesuffix("/v1")

    def add_routes(self, app: web.Application) -> None:
        """Serve ComfyUI's API."""
        app.router.add_post("/prompt", self._prompt)
        app.router.add_get("/history/{number}", self._history)
        app.router.add_get("/view", self._view)
        app.router.add_post("/upload/image", self._upload)
        for path in ("/queue", "/interrupt", "/history"):
            app.router.add_post(path, self._tell)

    async def _prompt(self, request: web.Request) -> web.Response:
        self.queued.append(await self._keep(request))
        return web.json_response({"prompt_id": f"work-{len(self.queued)}", "number": 1, "node_errors": {}})

    async def _history(self, request: web.Request) -> web.Response:
        self.looked.set()
        if self.looks > 0:
            self.looks -= 1
            return web.json_response({})
        status = {"status_str": "error" if self.fails else "success", "completed": not self.fails}
        files = [{"filename": f"a {number}.png", "subfolder": "", "type": "temp"} for number in range(2)]
        entry = {"outputs": {} if self.fails else {"9": {"images": files}}, "status": status}
        return web.json_response({request.match_info["number"]: entry})

    async def _view(self, request: web.Request) -> web.Response:
        shade = int(request.query["filename"].removeprefix("a ").removesuffix(".png"))
        return web.Response(body=png(shade=shade), content_type="image/png")

    async def _upload(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        form = form_of(request.headers["Content-Type"], self.bodies[-1])
        self.uploads.append(form)
        return web.json_response({"name": "image.png", "subfolder": form["subfolder"][0], "type": "temp"})

    async def _tell(self, request: web.Request) -> web.Response:
        self.told.append((request.path, await request.json()))
        return web.Response()
