"""Clients that cost little: raw connections that are kept, one request after the other on each."""

import asyncio
import json
import os
import time
from pathlib import Path

import msgspec

_TICK = os.sysconf("SC_CLK_TCK")
_TEXT = ("Please summarise this text for me. " * 40)[:1000]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: so many connections, so many requests on each."""

    connections: int
    requests: int
    stream: bool = False
    spread: float = 0.0  # seconds between the first requests of two connections


class Seen(msgspec.Struct, kw_only=True):
    """What came: seconds to the first byte of the answer's body, of each request; frames; and what the server used."""

    firsts: list[float] = []
    frames: int = 0
    bad: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    resident: int = 0


async def asked(port: int, load: Load, pid: int, *, model: str, key: str) -> Seen:
    """Ask, and return what came."""
    body = json.dumps(
        {"model": model, "messages": [{"role": "user", "content": _TEXT}]}
        | ({"stream": True, "stream_options": {"include_usage": True}} if load.stream else {})
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    seen = Seen(firsts=[])
    before, begun = cpu_of(pid), time.perf_counter()
    await asyncio.gather(*(_connection(port, request, load, seen, number) for number in range(load.connections)))
    seen.seconds = time.perf_counter() - begun
    seen.cpu = cpu_of(pid) - before
    seen.resident = resident_of(pid)
    return seen


async def _connection(port: int, request: bytes, load: Load, seen: Seen, number: int) -> None:
    await asyncio.sleep(number * load.spread)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    for _ in range(load.requests):
        begun = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            seen.bad += 1
            break
        if b"content-length:" in head:
            seen.firsts.append(time.perf_counter() - begun)
            await reader.readexactly(int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]))
            continue
        first = 0.0
        while size := int(await reader.readuntil(b"\r\n"), 16):
            data = await reader.readexactly(size + 2)
            first = first or time.perf_counter() - begun
            seen.frames += data.count(b"data: ")
        await reader.readexactly(2)
        seen.firsts.append(first)
    writer.close()


def cpu_of(pid: int) -> float:
    """Return the seconds that a process and its children have computed."""
    seconds = 0.0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        seconds += (int(fields[11]) + int(fields[12])) / _TICK
    return seconds


def resident_of(pid: int) -> int:
    """Return the bytes of memory of a process and its children, what they share counted once."""
    return sum(_resident(one) for one in _family(pid))


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in _family(int(child)))]
