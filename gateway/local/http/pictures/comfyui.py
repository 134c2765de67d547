"""The way of a request through ComfyUI: pictures are handed in, a workflow is queued and watched, its fruit fetched.

What was asked is taken out of ComfyUI's history behind it. Pictures that were handed in lie in its folder for
temporary files, which it empties when it starts.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from urllib.parse import urlencode

import msgspec

from gateway.core.delta import Delta, Picture
from gateway.core.document import Json, JsonObject, encode
from gateway.core.errors import TargetProtocolError, TargetTimeout
from gateway.local.http.pictures.server import PictureServer
from gateway.upstream.media.pictures import ending
from gateway.upstream.media.requests import SentBody, form_of
from gateway.upstream.media.workflow import ViewedFile, filled, finished_files, places_of, values_of

_LOOK_SECONDS = 0.5
_LARGEST_SEED = 2**50
_FACTS: Mapping[str, str] = MappingProxyType({})


class _Uploaded(msgspec.Struct):
    name: str
    subfolder: str = ""


class _Queued(msgspec.Struct):
    prompt_id: str


async def comfyui_answer(
    server: PictureServer, workflow: JsonObject, document: JsonObject, deadline: float
) -> AsyncGenerator[Delta, None]:
    """Yield the pictures. A client that goes away stops the work.

    Raises:
        AduanaError: The server can't be asked, or the workflow fails.
        TargetTimeout: The workflow does not end in time.
        CancelledError: The client is gone; as with the one below.
        GeneratorExit: Nobody reads the answer any more.
    """
    places = places_of(workflow)
    values = values_of(document, seed=secrets.randbelow(_LARGEST_SEED))
    for name in ("image", "mask"):
        values |= await _pictures(server, name, document, places, deadline)
    prompt = filled(server.target, workflow, document, values)
    body = encode(MappingProxyType({"prompt": prompt, "client_id": secrets.token_hex(16)}))
    number = await server.asked(SentBody(path="/prompt", content=body), lambda found: _number(server, found), deadline)
    made = 0
    try:
        try:
            files = await _finished(server, number, deadline)
        except (asyncio.CancelledError, GeneratorExit, TargetTimeout):
            await server.told("/queue", encode(MappingProxyType({"delete": (number,)})))
            await server.told("/interrupt", encode(MappingProxyType({"prompt_id": number})))
            raise
        for file in files:
            data = await server.fetched(_view(file), deadline, most_bytes=server.most_bytes)
            text = (await asyncio.to_thread(base64.b64encode, data)).decode("ascii")
            yield Picture(base64=text, index=made)
            made += 1
    finally:
        await server.told("/history", encode(MappingProxyType({"delete": (number,)})))
    for delta in ending(document, made, None, _FACTS):
        yield delta


async def _pictures(
    server: PictureServer, name: str, document: JsonObject, places: frozenset[str], deadline: float
) -> dict[str, Json]:
    """Return the values of the places for a picture of the request: its name at the server, or its base64.

    Raises:
        AduanaError: It can't be read, or not be handed in.
    """
    given = document.get(name)
    url = given[0] if isinstance(given, tuple) and given else given
    if not isinstance(url, str):
        return {}
    values: dict[str, Json] = {f"{name}_base64": url.partition(",")[2]}
    if name in places:
        sent = await asyncio.to_thread(_upload, server.target, url)
        uploaded = await server.asked(sent, lambda body: _uploaded(server, body), deadline)
        place = f"{uploaded.subfolder}/{uploaded.name}" if uploaded.subfolder else uploaded.name
        values[name] = f"{place} [temp]"
    return values


def _upload(target: str, url: str) -> SentBody:
    """Return the form that hands in a picture.

    Raises:
        TargetError: It can't be read.
    """
    form = MappingProxyType({"image": url, "type": "temp", "subfolder": secrets.token_hex(8)})
    content, content_type = form_of(target, form)
    return SentBody(path="/upload/image", content=content, content_type=content_type)


async def _finished(server: PictureServer, number: str, deadline: float) -> tuple[ViewedFile, ...]:
    """Wait until the workflow has ended, and return its pictures.

    Raises:
        AduanaError: It failed, or the server is gone.
    """
    while True:
        files = finished_files(server.target, number, await server.fetched(f"/history/{number}", deadline))
        if files is not None:
            return files
        await asyncio.sleep(_LOOK_SECONDS)


def _view(file: ViewedFile) -> str:
    query = urlencode({"filename": file.filename, "subfolder": file.subfolder, "type": file.type})
    return f"/view?{query}"


def _number(server: PictureServer, body: bytes) -> str:
    try:
        number = msgspec.json.decode(body, type=_Queued).prompt_id
    except (ValueError, RecursionError) as error:
        raise _unreadable(server) from error
    if not number.replace("-", "").isalnum():
        raise _unreadable(server)
    return number


def _uploaded(server: PictureServer, body: bytes) -> _Uploaded:
    try:
        return msgspec.json.decode(body, type=_Uploaded)
    except (ValueError, RecursionError) as error:
        raise _unreadable(server) from error


def _unreadable(server: PictureServer) -> TargetProtocolError:
    return TargetProtocolError(f"The target {server.target!r} answered in words that can't be read.")
