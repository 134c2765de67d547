"""What scrapes of `/metrics` cost a running stream, end to end: gateway with 50 models, server, client, scraper.

Run: `python -m tests.bench.scrape`. Each part is a process of its own. Prints figures; asserts nothing.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from aiohttp import web

MODELS = 50
PIECES = 600
PACE = 0.005  # seconds between pieces, as a fast model sends them
ROUNDS = 4
_PIECE = (
    b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
)
_END = (
    b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":600,"total_tokens":605}}\n\ndata: [DONE]\n\n'
)


async def serve(port: int) -> None:
    """A server that answers at a steady pace."""

    async def chat(request: web.Request) -> web.StreamResponse:
        await request.read()
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        due = time.perf_counter()
        for _ in range(PIECES):
            due += PACE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await answer.write(_PIECE)
        await answer.write(_END)
        return answer

    application = web.Application()
    application.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def scrape(url: str) -> None:
    """Scrapes without a pause."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/metrics") as answer:
                await answer.read()


async def stream(url: str) -> list[float]:
    """How much later than the pace each piece came, against the quickest one, in milliseconds."""
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    came: list[float] = []
    async with aiohttp.ClientSession() as session, session.post(f"{url}/v1/chat/completions", json=body) as answer:
        async for line in answer.content:
            if b'"content"' in line:
                came.append(time.perf_counter())
    offsets = [moment - number * PACE for number, moment in enumerate(came)]
    quickest = min(offsets)
    return [(offset - quickest) * 1e3 for offset in offsets]


def _start(*words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _answers(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(200):
            try:
                async with session.get(f"{url}/healthz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise RuntimeError("the gateway did not start")


def _line(name: str, late: list[float]) -> str:
    late = sorted(late)
    shares = {"median": 0.5, "p99": 0.99, "p99.9": 0.999}
    figures = "  ".join(f"{word} {late[int(len(late) * share)]:6.2f}" for word, share in shares.items())
    return f"{name:18} {figures}  worst {late[-1]:6.2f} ms late, {len(late)} pieces"


async def measure(folder: Path) -> None:
    """With and without scrapes, in turns."""
    upstream, port = _free_port(), _free_port()
    targets = "".join(
        f"  t{number}: {{kind: openai, zone: local, base_url: 'http://127.0.0.1:{upstream}/v1', model: m{number}}}\n"
        for number in range(MODELS)
    )
    (folder / "policy.yaml").write_text("version: 1\nlabels: {default: internal}\notherwise: {prefer: [t0]}\n")
    config = folder / "aduana.yaml"
    config.write_text(
        f"server: {{port: {port}}}\nstate_dir: {folder / 'state'}\npolicy: {folder / 'policy.yaml'}\n"
        f"targets:\n{targets}"
    )
    url = f"http://127.0.0.1:{port}"
    server = _start("tests.bench.scrape", "serve", str(upstream))
    gateway = _start("gateway", "serve", "--config", str(config))
    try:
        await _answers(url)
        await stream(url)
        late: dict[str, list[float]] = {"no scrapes": [], "scraped all along": []}
        for _ in range(ROUNDS):
            late["no scrapes"] += await stream(url)
            scraper = _start("tests.bench.scrape", "scrape", url)
            try:
                await asyncio.sleep(1.0)
                late["scraped all along"] += await stream(url)
            finally:
                scraper.kill()
                scraper.wait()
        for name, values in late.items():
            print(_line(name, values))
    finally:
        for process in (gateway, server):
            process.terminate()
            process.wait()


def main() -> int:
    """One of the parts, or all."""
    match sys.argv[1:]:
        case ["serve", port]:
            asyncio.run(serve(int(port)))
        case ["scrape", url]:
            asyncio.run(scrape(url))
        case _:
            with tempfile.TemporaryDirectory() as folder:
                asyncio.run(measure(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
