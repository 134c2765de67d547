"""The embedded target behind the thinnest possible HTTP, so that a benchmark sees the engine and not a web framework.

`python -m tests.bench.engine.front PORT MODEL CONTEXT SLOTS THREADS`: POST /v1/completions and /v1/chat/completions,
always streamed; GET /health answers 200 when the model is loaded. Not part of the product.
"""

import asyncio
import sys

import msgspec
import uvloop

from gateway.core.delta import Delta, Finish, Text, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import AduanaError
from gateway.core.labels import Label, Zone
from gateway.core.request import (
    ChatRequest,
    CompletionRequest,
    Dialect,
    GenerateRequest,
    Message,
    ResponseFormat,
    Sampling,
)
from gateway.core.target import TargetInfo
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget

_HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def request_of(path: str, body: dict) -> GenerateRequest:
    """The request, without the checks that a client's input needs."""
    sampling = Sampling(
        max_tokens=body.get("max_tokens"),
        temperature=body.get("temperature"),
        seed=body.get("seed"),
        ignore_eos=body.get("ignore_eos", False),
    )
    common = {"dialect": Dialect.OPENAI, "model": "m", "document": freeze_object({}), "sampling": sampling}
    if "chat" not in path:
        return CompletionRequest(prompts=(body["prompt"],), **common)
    form = ResponseFormat()
    if "response_format" in body:
        given = body["response_format"]
        schema = given.get("json_schema", {}).get("schema")
        form = ResponseFormat(kind=given["type"], schema=freeze_object(schema) if schema else None)
    messages = tuple(Message(role=m["role"], text=m["content"]) for m in body["messages"])
    return ChatRequest(messages=messages, response_format=form, **common)


def event_of(delta: Delta, chat: bool) -> bytes:
    """One server-sent event."""
    match delta:
        case Text():
            choice = {"index": 0, "delta": {"content": delta.text}} if chat else {"index": 0, "text": delta.text}
            data = {"choices": [choice]}
        case UsageReport():
            usage = delta.usage
            details = {"cached_tokens": usage.input_cached}
            data = {
                "choices": [],
                "usage": {
                    "prompt_tokens": usage.prompt_tokens,
                    "completion_tokens": usage.completion_tokens,
                    "prompt_tokens_details": details,
                },
            }
        case _:
            return b""
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: EmbeddedTarget) -> None:
    """One connection, one request."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ", 2)[1]
        if path == "/health":
            ready = target.state().loaded
            writer.write(
                b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (b"200 OK" if ready else b"503 No")
            )
            return
        length = next(
            int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")
        )
        body = msgspec.json.decode(await reader.readexactly(length))
        writer.write(_HEADER)
        deadline = asyncio.get_running_loop().time() + 600
        isolation = body.get("user", "bench")
        async for delta in target.generate(request_of(path, body), deadline=deadline, isolation=isolation):
            if not isinstance(delta, Finish):
                writer.write(event_of(delta, "chat" in path))
        writer.write(b"data: [DONE]\n\n")
    except AduanaError as error:
        writer.write(b"data: " + msgspec.json.encode({"error": error.message}) + b"\n\n")
    finally:
        writer.close()


async def main() -> None:
    """Until it is terminated."""
    port, model, context, slots, threads = sys.argv[1:6]
    settings = EmbeddedSettings(
        model=model, context=int(context), slots=int(slots), threads=int(threads) or None, queue=256, top_k=40
    )
    info = TargetInfo(
        name="bench", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="m", context=int(context)
    )
    target = EmbeddedTarget(info, settings)
    await target.start()
    server = await asyncio.start_server(lambda r, w: serve(r, w, target), "127.0.0.1", int(port), limit=2**22)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
