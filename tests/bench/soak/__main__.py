"""Run the soak: `python -m tests.bench.soak --seconds 3600`.

A gateway of its own gets mixed load from several clients: streamed and whole answers, conversations, what is private,
what must be refused, clients that hang up, broken bodies, half requests, its metrics and its pages. Every second its
memory (without what is shared or only cached of files), its open descriptors and its threads are read. Exit status: 0,
nothing grows; 1, something does, or requests ended as they should not; 2, the control failed.

Every text is a new one. What is remembered of texts, within bounds, takes hours to fill, which would look like a leak:
so it holds a hundredth here (`tests/standins/small_memories.py`), and is full in the first minutes.

The control comes first: gateways into which a leak was planted (`tests/standins/leaking.py`), one for each measure. A
soak that would not notice them proves nothing.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp

from tests.bench.soak.growth import Allowed, Growth, growth
from tests.faults.fault_server import DONE, FINISH, USAGE, FaultServer, streamed, text, usage
from tests.standins.gateway import RunningGateway

MIB = 2**20
ALLOWED = {
    # Once: what the allocator and bounded caches still take in the first minutes. In an hour it is 100 bytes a request.
    "memory (MiB)": Allowed(once=16.0, hour=8.0),
    "descriptors": Allowed(once=4.0, hour=2.0),
    "threads": Allowed(once=2.0, hour=1.0),
}
CLIENTS = 8
SAMPLE_SECONDS = 1.0
CONTROL_SECONDS = 45.0
POLICY = """
version: 1
labels:
  default: internal
  tags: {public: public, health: sensitive}
rules:
  - {name: public goes out, when: {label: public}, prefer: [big, den]}
otherwise: {prefer: [den]}
"""
LONG = streamed(*(text(f"word{number} ") for number in range(200)), FINISH, usage(USAGE), DONE)


class Samples:
    """What one process held, second by second."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self._begun = time.monotonic()
        self.found: dict[str, list[tuple[float, float]]] = {name: [] for name in ALLOWED}

    def take(self) -> None:
        """Read the present values."""
        at = time.monotonic() - self._begun
        status = dict(line.split(":", 1) for line in (self._proc / "status").read_text().splitlines() if ":" in line)
        anonymous = int(status["RssAnon"].split()[0]) * 1024 / MIB
        values = (anonymous, float(len(list((self._proc / "fd").iterdir()))), float(status["Threads"]))
        for name, value in zip(ALLOWED, values, strict=True):
            self.found[name].append((at, value))

    def judged(self) -> dict[str, Growth]:
        """Return what became of each measure."""
        return {name: growth(self.found[name], allowed) for name, allowed in ALLOWED.items()}


class Load:
    """Clients that ask for everything, again and again, until they are told to stop."""

    def __init__(self, url: str) -> None:
        """Ask at `url`. No text comes twice."""
        self._url = url
        self._dice = random.Random(484)
        self._numbers = itertools.count()
        self.ended: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """Ask until the time is over."""
        until = time.monotonic() + seconds
        connector = aiohttp.TCPConnector(limit=CLIENTS * 2, keepalive_timeout=5)
        async with aiohttp.ClientSession(self._url, connector=connector) as session:

            async def client() -> None:
                while time.monotonic() < until:
                    what = self._dice.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
                    try:
                        async with asyncio.timeout(60):
                            await getattr(self, what)(session, next(self._numbers))
                        self.ended[what] += 1
                    except (aiohttp.ClientError, AssertionError, TimeoutError) as error:
                        self.wrong[f"{what}: {type(error).__name__} {error}"[:200]] += 1

            await asyncio.gather(*(client() for _ in range(CLIENTS)))

    async def _chat(self, session: aiohttp.ClientSession, status: int, *tags: str, **fields: object) -> None:
        headers = {"x-aduana-tags": ",".join(tags)} if tags else {}
        chat = {"model": "auto"} | fields
        async with session.post("/v1/chat/completions", json=chat, headers=headers) as answer:
            assert answer.status == status, f"{answer.status} instead of {status}"
            await answer.read()

    async def whole(self, session: aiohttp.ClientSession, number: int) -> None:
        """A new conversation, answered at once."""
        await self._chat(session, 200, messages=said(f"Question {number}: what is the weather like?"))

    async def streamed(self, session: aiohttp.ClientSession, number: int) -> None:
        """An answer word by word, of a public request."""
        await self._chat(session, 200, "public", messages=said(f"Public question {number}, please"), stream=True)

    async def conversation(self, session: aiohttp.ClientSession, number: int) -> None:
        """A conversation of several turns."""
        turns = [f"Turn {turn} of the conversation {number} about gardens" for turn in range(5)]
        for count in (1, 3, 5):
            await self._chat(session, 200, messages=said(*turns[:count]))

    async def private(self, session: aiohttp.ClientSession, number: int) -> None:
        """Something that stays at home, and is remembered."""
        await self._chat(session, 200, "health", messages=said(f"The patient {number} has been told about the result"))

    async def hung_up(self, session: aiohttp.ClientSession, number: int) -> None:
        """A client that goes away in the middle of a long answer."""
        chat = {"model": "long", "messages": said(f"Tell story {number}"), "stream": True}
        async with session.post("/v1/chat/completions", json=chat) as answer:
            await answer.content.read(200)
            answer.close()

    async def refused(self, session: aiohttp.ClientSession, number: int) -> None:
        """What must stay, asked of a cloud alone."""
        await self._chat(session, 403, "health", model="away", messages=said(f"The patient {number} asks"))

    async def broken(self, session: aiohttp.ClientSession, number: int) -> None:
        """A body that is no JSON."""
        async with session.post("/v1/chat/completions", data=b'{"model": ' + b"[" * (number % 200)) as answer:
            assert answer.status == 400, answer.status

    async def other_dialects(self, session: aiohttp.ClientSession, number: int) -> None:
        """Anthropic's and Ollama's words."""
        message = {"model": "auto", "max_tokens": 50, "messages": said(f"Message {number}")}
        async with session.post("/v1/messages", json=message) as answer:
            assert answer.status == 200, answer.status
        async with session.post("/api/chat", json={"model": "auto", "messages": said(f"Chat {number}")}) as answer:
            assert answer.status == 200, answer.status
            await answer.read()

    async def pages(self, session: aiohttp.ClientSession, number: int) -> None:
        """What people and Prometheus look at."""
        for path in ("/metrics", "/readyz", "/", "/console/requests"):
            async with session.get(path) as answer:
                assert answer.status == 200, f"{path}: {answer.status}"
                await answer.read()

    async def half_a_request(self, session: aiohttp.ClientSession, number: int) -> None:
        """A connection that sends half a request and goes."""
        host, port = self._url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n{")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()


WEIGHTS = {
    "whole": 20,
    "streamed": 20,
    "conversation": 10,
    "private": 10,
    "hung_up": 10,
    "refused": 5,
    "broken": 5,
    "other_dialects": 10,
    "pages": 1,
    "half_a_request": 5,
}


def said(*turns: str) -> list[dict[str, str]]:
    """A conversation, by turns."""
    return [{"role": "user" if number % 2 == 0 else "assistant", "content": turn} for number, turn in enumerate(turns)]


async def soaked(seconds: float, leak: str = "") -> tuple[Samples, Load]:
    """Run one gateway under load and return what it held. `leak`: the one that is planted."""
    short = streamed(text("Hello"), text(" there"), FINISH, usage(USAGE), DONE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with FaultServer(short) as den, FaultServer(short) as big, FaultServer(LONG) as long:
            (folder / "policy.yaml").write_text(POLICY)
            (folder / "key").write_text("sk-soak-0123456789abcdef")
            local = {"kind": "openai", "zone": "local", "model": "m", "slots": 64}
            cloud = {"kind": "openai", "zone": "cloud", "model": "m", "ceiling": "public"}
            targets = {
                "den": local | {"base_url": den.base_url},
                "slow": local | {"base_url": long.base_url},
                "big": cloud | {"base_url": big.base_url, "api_key": f"file:{folder / 'key'}"},
            }
            models = {"auto": {}, "long": {"targets": ["slow"]}, "away": {"targets": ["big"]}}
            config = {"policy": "policy.yaml", "targets": targets, "models": models}
            standin = ("tests.standins.leaking", leak) if leak else ("tests.standins.small_memories",)
            launcher = (sys.executable, "-m", *standin)
            async with RunningGateway(folder, json.dumps(config), launcher=launcher) as gateway:
                await gateway.until_ready()
                assert gateway.process is not None
                samples, load = Samples(gateway.process.pid), Load(gateway.url)
                running = asyncio.create_task(load.run(seconds))
                while not running.done():
                    samples.take()
                    for server in (den, big, long):
                        server.requests.clear()  # or this process would grow
                    gateway.log = ""
                    await asyncio.sleep(SAMPLE_SECONDS)
                await running
    return samples, load


def table(judged: dict[str, Growth]) -> bool:
    """Print what became of each measure; return whether anything grows."""
    for name, one in judged.items():
        word = "GROWS" if one.grows else "steady"
        found = f"{one.first:8.1f} → {one.last:8.1f}, by the line {one.rise:+7.2f} of {one.allowed:.2f} allowed"
        print(f"  {name:14} {found}: {word}")
    return any(one.grows for one in judged.values())


async def main(seconds: float, control: float) -> int:
    """Run the control and the soak."""
    for leak, measure in (("memory", "memory (MiB)"), ("descriptors", "descriptors"), ("threads", "threads")):
        if not control:
            break
        print(f"control: a gateway that leaks {leak}, {control:.0f} s", flush=True)
        judged = (await soaked(control, leak))[0].judged()
        table(judged)
        if not judged[measure].grows:
            print(f"the leak of {leak} was not noticed: this soak proves nothing")
            return 2
    print(f"soak: {seconds:.0f} s", flush=True)
    samples, load = await soaked(seconds)
    grows = table(samples.judged())
    print(f"  {load.ended.total()} requests, {load.ended.total() / seconds:.0f} a second: {dict(load.ended)}")
    for text_, count in load.wrong.most_common(5):
        print(f"  wrong {count} times: {text_}")
    return 1 if grows or load.wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--control", type=float, default=CONTROL_SECONDS, help="seconds for each planted leak; 0: none")
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.seconds, given.control)))
