"""A streaming client that takes little CPU: while a stream runs it only keeps times and bytes, to read them later."""

import asyncio
import json
import os
import time

import msgspec


class Stream(msgspec.Struct, kw_only=True):
    """One answer. Seconds."""

    first: float = 0.0
    total: float = 0.0
    tokens: int = 0
    cached: int = 0
    text: str = ""
    error: str = ""


async def ask(port: int, path: str, body: dict) -> Stream:
    """One request, streamed, with its own connection. An app's name (`user`) is its API key besides."""
    body = {"model": "m", "stream": True, "stream_options": {"include_usage": True}} | body
    payload = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    began = time.perf_counter()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    if user := body.get("user"):
        head += f"Authorization: Bearer {user}\r\n"
    head += f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + payload)
    seen: list[tuple[float, bytes]] = []
    try:
        while data := await reader.read(65536):
            seen.append((time.perf_counter() - began, data))
            if b"[DONE]" in data:
                break
    finally:
        writer.close()
    return _read(seen)


def _read(seen: list[tuple[float, bytes]]) -> Stream:
    stream = Stream(total=seen[-1][0] if seen else 0.0)
    pending = b""
    for moment, data in seen:
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            at = line.find(b"data: {")
            if at >= 0:
                _event(stream, json.loads(line[at + 6 :]), moment)
    if not stream.tokens and not stream.error:
        stream.error = b"".join(data for _, data in seen)[:200].decode("utf-8", "replace")
    return stream


def _event(stream: Stream, event: dict, moment: float) -> None:
    if "error" in event:
        stream.error = str(event["error"])
    for choice in event.get("choices") or []:
        text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
        if text and not stream.first:
            stream.first = moment
        stream.text += text
    if usage := event.get("usage"):
        stream.tokens = usage["completion_tokens"]
        stream.cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0


async def together(port: int, path: str, bodies: list[dict], concurrency: int) -> tuple[float, list[Stream]]:
    """All bodies, so many at once. Returns the wall time and the answers in order."""
    answers: list[Stream | None] = [None] * len(bodies)
    queue = list(enumerate(bodies))

    async def work() -> None:
        while queue:
            place, body = queue.pop(0)
            answers[place] = await ask(port, path, body)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return time.perf_counter() - began, [answer for answer in answers if answer is not None]


def usage_of(pid: int) -> tuple[float, float]:
    """CPU seconds and megabytes (proportional set size) of a process and its children."""
    cpu, memory = 0.0, 0.0
    for number in _family(pid):
        try:
            with open(f"/proc/{number}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{number}/smaps_rollup") as file:
                memory += sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
        except OSError:
            continue
        cpu += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return cpu, memory


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            found += [number for child in file.read().split() for number in _family(int(child))]
    return found
