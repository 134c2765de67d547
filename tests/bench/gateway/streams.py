"""Very many streams at once: how late their frames come, and what one of them takes.

    python -m tests.bench.gateway.streams [--streams 1000] [--pace 20] [--frames 200] [--zone local|cloud]

Each frame says when it left the upstream; what is late at the client was late somewhere on the way, be it in the
upstream or in the client itself, which share the other core.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from array import array
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import uvloop

from tests.bench.gateway.__main__ import free_port, serving, started
from tests.bench.gateway.client import cpu_of, resident_of
from tests.bench.gateway.servers import KEY, subjects

_BEGIN = b'"content":"'
_TEXT = ("Please summarise this text for me. " * 40)[:1000]


class Reader(asyncio.Protocol):
    """One client with one stream."""

    def __init__(self, request: bytes, late: "array[float]", ended: asyncio.Event) -> None:
        self._request = request
        self._late = late
        self._ended = ended
        self._open = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Compare what came with when it left."""
        now = time.monotonic()
        data = self._open + data
        *whole, self._open = data.split(b"\n\n")
        for event in whole:
            _, found, rest = event.partition(_BEGIN)
            if found and (stamp := rest.split(b'"', 1)[0].strip()):
                self._late.append(now - float(stamp))
        if b"[DONE]" in data:
            self._ended.set()

    def connection_lost(self, error: Exception | None) -> None:
        """Stop waiting."""
        self._ended.set()


async def measured(port: int, pid: int, streams: int, begin_seconds: float) -> None:
    """Open the streams one after the other, and print what was seen while all of them ran."""
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": _TEXT}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    loop = asyncio.get_running_loop()
    few = streams // 10  # what the first ones load stays, and is no part of a stream
    before = 0
    lates, ends = [array("d") for _ in range(streams)], [asyncio.Event() for _ in range(streams)]
    for number, (late, ended) in enumerate(zip(lates, ends, strict=True)):
        if number == few:
            await asyncio.sleep(1)
            before = resident_of(pid)
        await loop.create_connection(lambda late=late, ended=ended: Reader(request, late, ended), "127.0.0.1", port)
        await asyncio.sleep(begin_seconds / streams)
    await asyncio.sleep(1)
    counts, cpu, begun = [len(late) for late in lates], cpu_of(pid), time.monotonic()
    await asyncio.sleep(4)
    frames = sum(len(late) - count for late, count in zip(lates, counts, strict=True))
    cpu, seconds = cpu_of(pid) - cpu, time.monotonic() - begun
    seen = sorted(one for late, count in zip(lates, counts, strict=True) for one in late[count:])
    resident = resident_of(pid)
    await asyncio.gather(*(ended.wait() for ended in ends))
    if not seen:
        print("no frame came")
        return
    running = sum(map(bool, counts))
    print(f"{running} of {streams} streams, {frames / seconds:,.0f} frames/s, load {os.getloadavg()[0]:.1f}")
    print(f"{cpu / frames * 1e6:.0f} µs of CPU a frame, {cpu / seconds:.0%} of a core")
    late = sum(one > 0.05 for one in seen) / len(seen)
    marks = ", ".join(
        f"p{share:g} {seen[int(share / 100 * (len(seen) - 1))] * 1e3:.1f}" for share in (50, 99, 99.9, 100)
    )
    print(f"frames came after {marks} ms; {late:.2%} after more than 50 ms")
    each = (resident - before) / (streams - few) / 1024
    print(f"{each:.0f} KB a stream: {before >> 20} MB with {few} of them, {resident >> 20} MB with all")


def main() -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--pace", type=float, default=20, help="frames a second, of each")
    parser.add_argument("--frames", type=int, default=200, help="frames of each")
    parser.add_argument("--begin", type=float, default=4.0, help="seconds in which they begin")
    parser.add_argument("--zone", choices=("local", "cloud"), default="local")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        upstream, first = free_port(), free_port()
        command = (
            sys.executable,
            "-m",
            "tests.bench.gateway.upstream",
            *map(str, (upstream, args.frames, 1 / args.pace)),
        )
        started(stack, (*command, "stamped"), {cores[-1]}, {})
        subject = next(one for one in subjects(Path(folder), upstream, first) if args.zone in one.name)
        uvloop.run(measured(subject.port, serving(stack, subject, {cores[0]}), args.streams, args.begin))
    return 0


if __name__ == "__main__":
    sys.exit(main())
