"""A target for a picture server, and requests for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import MappingProxyType

from gateway.core.attachment import data_url
from gateway.core.document import JsonObject, freeze_object
from gateway.core.labels import Label, Zone
from gateway.core.progress import Progress
from gateway.core.request import Endpoint, ImagesRequest, MediaWork
from gateway.core.target import Api, Capability, TargetInfo
from gateway.local.http.settings import HttpSettings
from gateway.local.http.target import HttpTarget
from gateway.wire.openai.images import parse_images
from tests.standins.pictures import png

PICTURE = data_url("image/png", png())


@asynccontextmanager
async def painter(
    root: str, api: Api, *, model: str = "sd", workflow: JsonObject | None = None
) -> AsyncIterator[HttpTarget]:
    """Start a target for a server at this address."""
    info = TargetInfo(
        name="painter", kind="openai", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model=model, api=api,
        endpoints=frozenset({Endpoint.IMAGES}), capabilities=frozenset({Capability.IMAGES}),
    )  # fmt: skip
    target = HttpTarget(info, HttpSettings(base_url=root, workflow=workflow))
    await target.start()
    try:
        yield target
    finally:
        await target.close()


def wanted(work: MediaWork = MediaWork.GENERATIONS, **fields: object) -> ImagesRequest:
    """Return a request for pictures."""
    return parse_images(work, freeze_object({"model": "auto", "prompt": "A harbour", **fields}))


async def drawn(target: HttpTarget, request: ImagesRequest, progress: Progress | None = None) -> list[object]:
    """Return everything that the target answers."""
    deadline = asyncio.get_running_loop().time() + 30
    return [delta async for delta in target.exchange(request, deadline=deadline, isolation="a", progress=progress)]


EMPTY: JsonObject = MappingProxyType({})
