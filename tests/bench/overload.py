"""Goodput and refusals under overload, and what slow readers cost: the whole gateway with an engine of one layer.

Run: `python -m tests.bench.overload`. Prints figures; asserts nothing, because machines differ. The clients run on the
same machine, so they take a part of its cores from the gateway and the engine.
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from tests.engine.truncated import truncate
from tests.faults.fault_server import DONE, FINISH, USAGE, FaultServer, streamed, text, usage
from tests.standins.gateway import RunningGateway
from tests.standins.machine import starter

TIMES = 7.5  # of what the engine can do
SECONDS = 13.0
LEAD_SECONDS = 3.0
READERS = 100
CONFIG = """
models_dir: {folder}
keys:
  flood: {{secret: "env:FLOOD"}}
  light: {{secret: "env:LIGHT"}}
models: {{auto: {{}}, home: {{targets: [home]}}, den: {{targets: [den]}}}}
targets:
  home: {{kind: embedded, model: one-layer, context: 512, slots: 8, queue: 64}}
  den: {{kind: openai, zone: local, base_url: "{url}", model: den-1, slots: 200}}
"""
KEYS = {"FLOOD": "flood-0123456789abcdef", "LIGHT": "light-0123456789abcdef"}


class Tally:
    """What came back: statuses with their seconds."""

    def __init__(self) -> None:
        self.served: list[float] = []
        self.refused: list[float] = []
        self._begun = time.perf_counter()
        self._ends: list[float] = []

    @property
    def rate(self) -> float:
        """Answers a second, without the first seconds, in which the first ones are made, and what came too late."""
        first, last = self._begun + LEAD_SECONDS, self._begun + SECONDS
        return sum(first <= end < last for end in self._ends) / (SECONDS - LEAD_SECONDS)

    async def ask(self, client: aiohttp.ClientSession, url: str, key: str) -> None:
        """Ask for 64 tokens, once."""
        body = {"model": "home", "max_tokens": 64, "ignore_eos": True, "prompt": "Once upon a time"}
        begun = time.perf_counter()
        headers = {"Authorization": f"Bearer {key}"}
        async with client.post(url + "/v1/completions", json=body, headers=headers) as answer:
            await answer.read()
        now = time.perf_counter()
        (self.served if answer.status == 200 else self.refused).append(now - begun)
        if answer.status == 200:
            self._ends.append(now)


async def closed_loop(client: aiohttp.ClientSession, url: str, clients: int) -> Tally:
    """Clients that ask again as soon as they are answered."""
    tally = Tally()
    until = time.perf_counter() + SECONDS

    async def one() -> None:
        while time.perf_counter() < until:
            await tally.ask(client, url, KEYS["FLOOD"])

    await asyncio.gather(*(one() for _ in range(clients)))
    return tally


async def open_loop(client: aiohttp.ClientSession, url: str, rate: float) -> tuple[Tally, Tally]:
    """Requests that come at this rate whatever happens, and beside them one light client. Returns both tallies."""
    flood, light = Tally(), Tally()
    until = time.perf_counter() + SECONDS

    async def beside() -> None:
        while time.perf_counter() < until:
            await light.ask(client, url, KEYS["LIGHT"])
            await asyncio.sleep(0.2)

    asking = [asyncio.create_task(beside())]
    begun, count = time.perf_counter(), 0
    while (now := time.perf_counter()) < until:
        while count < (now - begun) * rate:
            asking.append(asyncio.create_task(flood.ask(client, url, KEYS["FLOOD"])))
            count += 1
        await asyncio.sleep(0.005)
    await asyncio.gather(*asking)
    return flood, light


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class CpuMeter:
    """Meter of what processes take of the machine's cores."""

    def __init__(self, processes: dict[str, int]) -> None:
        self._processes = processes
        self._before: dict[str, float] = {}
        self._begun = 0.0

    def start(self) -> None:
        """Begin."""
        self._before = {name: cpu_seconds(pid) for name, pid in self._processes.items()}
        self._begun = time.perf_counter()

    def used(self) -> str:
        """Cores used by each since the start."""
        took = time.perf_counter() - self._begun
        shares = {name: (cpu_seconds(pid) - self._before[name]) / took for name, pid in self._processes.items()}
        return ", ".join(f"{name} {share:.2f}" for name, share in shares.items())


def worker_of(pid: int) -> int:
    """The engine's process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(int(one) for one in children if b"gateway.engine" in Path(f"/proc/{one}/cmdline").read_bytes())


def percentile(values: list[float], share: float) -> str:
    """Milliseconds."""
    return f"{sorted(values)[int(share * (len(values) - 1))] * 1000:.0f} ms" if values else "-"


def resident(pid: int) -> float:
    """Megabytes of RAM that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def slow_readers(gateway: RunningGateway) -> None:
    """Streams of 10 MB whose clients read nothing: what each costs."""
    assert gateway.process is not None
    port = int(gateway.url.rsplit(":", 1)[1])
    body = b'{"model":"den","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {KEYS['LIGHT']}\r\n\r\n"
    )
    before = resident(gateway.process.pid)
    writers = []
    for _ in range(READERS):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        writer.write(head.encode() + body)
        writers.append(writer)
    most = before
    for _ in range(100):
        await asyncio.sleep(0.1)
        most = max(most, resident(gateway.process.pid))
    print(f"{READERS} readers that read nothing: {before:.0f} → {most:.0f} MB, {(most - before) / READERS:.2f} MB each")
    for writer in writers:
        writer.close()


async def main() -> None:
    """Measure and print."""
    long = streamed(*[text("x" * 100_000)] * 100, FINISH, usage(USAGE), DONE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truncate(starter(), folder / "one-layer.gguf", 1)
        async with (
            FaultServer(long) as den,
            RunningGateway(folder, CONFIG.format(folder=folder, url=den.base_url), env=KEYS) as gateway,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
        ):
            await gateway.until_ready()
            assert gateway.process is not None
            pid = gateway.process.pid
            meter = CpuMeter({"gateway": pid, "engine": worker_of(pid), "clients": os.getpid()})
            await closed_loop(client, gateway.url, 16)  # warms up
            meter.start()
            peak = (await closed_loop(client, gateway.url, 16)).rate
            print(f"peak {peak:.1f}/s; cores used: {meter.used()}")
            meter.start()
            flood, light = await open_loop(client, gateway.url, TIMES * peak)
            print(f"overload; cores used: {meter.used()}")
            goodput = flood.rate + light.rate
            print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            print(f"at {TIMES:g} times the peak {goodput:.1f}/s ({goodput / peak:.0%})")
            print(
                f"{len(flood.refused)} refusals: median {statistics.median(flood.refused or [0]) * 1000:.0f} ms, "
                f"99% within {percentile(flood.refused, 0.99)}"
            )
            print(
                f"light key beside it: {len(light.served)} served, {len(light.refused)} refused, "
                f"median {percentile(light.served, 0.5)}, 99% within {percentile(light.served, 0.99)}"
            )
            await slow_readers(gateway)


if __name__ == "__main__":
    asyncio.run(main())
