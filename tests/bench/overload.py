"""Goodput and refusals under overload, and what slow readers cost: the whole gateway with an engine of one layer.

Run: `python -m tests.bench.overload`. Prints figures; asserts nothing, because machines differ. The clients run on the
same machine, so they take a part of its cores from the gateway and the engine: how much, a run says in which a stub
refuses the same flood. Goodput is given as a share of the engine's peak, and of what the clients leave of it. What is
compared takes turns, each first once, so that another load on the machine meets all of it alike, and so does the time
that the engine takes to find another number of threads for what else wants the cores now.

`--threads N` gives the engine N threads. By itself it takes all cores, and then refusals cost answers: threads that
compute one step together all wait for the one whose core the gateway has. With a core left to the gateway they don't.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import cast

import aiohttp

from tests.engine.truncated import truncate
from tests.faults.fault_server import DONE, FINISH, USAGE, FaultServer, streamed, text, usage
from tests.standins.gateway import RunningGateway
from tests.standins.machine import starter

SECONDS = 8.0
LEAD_SECONDS = 2.0
READERS = 100
CONFIG = """
models_dir: {folder}
keys:
  flood: {{secret: "env:FLOOD"}}
  light: {{secret: "env:LIGHT"}}
models: {{auto: {{}}, home: {{targets: [home]}}, den: {{targets: [den]}}}}
targets:
  home: {{kind: embedded, model: one-layer, context: 512, slots: 8, queue: 64{threads}}}
  den: {{kind: openai, zone: local, base_url: "{url}", model: den-1, slots: 200}}
"""
REFUSAL = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
KEYS = {"FLOOD": "flood-0123456789abcdef", "LIGHT": "light-0123456789abcdef"}


class Stub(asyncio.Protocol):
    """Server that refuses whatever comes at the least cost: each of its clients' requests is one small packet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._seen = b""

    def data_received(self, data: bytes) -> None:
        """Refuse each request whose body has come."""
        self._seen += data
        while self._seen.find(b"}", self._seen.find(b"\r\n\r\n")) > 0:
            self._seen = self._seen[self._seen.index(b"}", self._seen.index(b"\r\n\r\n")) + 1 :]
            self._transport.write(REFUSAL)


class Tally:
    """What came back: statuses with their seconds."""

    def __init__(self, *, fresh: bool = False) -> None:
        self._numbers = itertools.count() if fresh else itertools.repeat(0)  # so that each text is a new one
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
        body["user"] = f"reader {next(self._numbers)}"
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


async def open_loop(client: aiohttp.ClientSession, url: str, rate: float, *, fresh: bool = False) -> Tally:
    """Requests that come at this rate whatever happens. `fresh`: each has a text of its own; else they are retries."""
    tally = Tally(fresh=fresh)
    asking: list[asyncio.Task[None]] = []
    begun = time.perf_counter()
    while (now := time.perf_counter()) < begun + SECONDS:
        while len(asking) < (now - begun) * rate:
            asking.append(asyncio.create_task(tally.ask(client, url, KEYS["FLOOD"])))
        await asyncio.sleep(0.005)
    await asyncio.gather(*asking)
    return tally


async def light_loop(client: aiohttp.ClientSession, url: str) -> Tally:
    """One light client beside a flood."""
    tally = Tally()
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        await tally.ask(client, url, KEYS["LIGHT"])
        await asyncio.sleep(0.2)
    return tally


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU seconds that the whole machine has used: proc(5), all but idle and waiting for disks."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return sum(int(field) for at, field in enumerate(fields) if at not in (3, 4)) / os.sysconf("SC_CLK_TCK")


class CpuMeter:
    """Meter of what processes take of the machine's cores, and what everything else does."""

    def __init__(self, processes: dict[str, int]) -> None:
        self._processes = processes
        self._before: dict[str, float] = {}
        self._begun = 0.0

    def start(self) -> None:
        """Begin."""
        self._before = self._now()
        self._begun = time.perf_counter()

    def used(self) -> dict[str, float]:
        """Cores used by each since the start."""
        took = time.perf_counter() - self._begun
        return {name: (seconds - self._before[name]) / took for name, seconds in self._now().items()}

    def _now(self) -> dict[str, float]:
        seconds = {name: cpu_seconds(pid) for name, pid in self._processes.items()}
        return seconds | {"others": busy_seconds() - sum(seconds.values())}


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


class Case:
    """One of the loads that are compared: what came of it, over all rounds."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.flood: list[Tally] = []
        self.light: list[Tally] = []
        self.cores: list[dict[str, float]] = []

    @property
    def rate(self) -> float:
        """Answers a second."""
        return statistics.mean(self.rates)

    def used(self) -> str:
        """Cores used by each process."""
        return ", ".join(f"{name} {statistics.mean(cores[name] for cores in self.cores):.2f}" for name in self.cores[0])

    def refusals(self) -> str:
        """How the others fared."""
        refused = [seconds for tally in self.flood for seconds in tally.refused]
        served = [seconds for tally in self.light for seconds in tally.served]
        turned_away = sum(len(tally.refused) for tally in self.light)
        return (
            f"  {len(refused)} refusals: median {percentile(refused, 0.5)}, 99% within {percentile(refused, 0.99)}\n"
            f"  light key beside it: {len(served)} served, {turned_away} refused, "
            f"median {percentile(served, 0.5)}, 99% within {percentile(served, 0.99)}"
        )


class Comparison:
    """The loads that are compared: the peak, a flood that a stub refuses, one of retries and one of new texts."""

    def __init__(self, client: aiohttp.ClientSession, url: str, meter: CpuMeter, times: float) -> None:
        self._client = client
        self._url = url
        self._meter = meter
        self._times = times
        self.peak, self.stub, self.retries, self.fresh = Case(), Case(), Case(), Case()

    async def run(self, peak: float) -> None:
        """Measure each four times; floods have so many `times` the rate of `peak`."""
        loads = [
            (self.peak, self._undisturbed),
            (self.stub, partial(self._beside_stub, (self._times - 1) * peak)),
            (self.retries, partial(self._flooded, self.retries, self._times * peak, fresh=False)),
            (self.fresh, partial(self._flooded, self.fresh, self._times * peak, fresh=True)),
        ]
        for first in range(len(loads)):
            for case, load in loads[first:] + loads[:first]:
                self._meter.start()
                case.rates.append(await load())
                case.cores.append(self._meter.used())

    async def _undisturbed(self) -> float:
        """Return the answers a second that the engine gives to as many clients as it has use for."""
        return (await closed_loop(self._client, self._url, 16)).rate

    async def _flooded(self, case: Case, rate: float, *, fresh: bool) -> float:
        """Return the answers a second under a flood, with a light client beside it."""
        flood, light = await asyncio.gather(
            open_loop(self._client, self._url, rate, fresh=fresh), light_loop(self._client, self._url)
        )
        case.flood.append(flood)
        case.light.append(light)
        return flood.rate + light.rate

    async def _beside_stub(self, rate: float) -> float:
        """Return the answers a second while a stub refuses a flood of this rate: what its clients alone leave."""
        server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
        async with server:
            flood = open_loop(self._client, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", rate)
            tally, _ = await asyncio.gather(closed_loop(self._client, self._url, 16), flood)
        return tally.rate

    def report(self) -> str:
        """What came of it, in lines."""
        peak, left = self.peak.rate, self.stub.rate
        lines = [
            f"peak {peak:.1f}/s; cores used: {self.peak.used()}",
            f"beside a flood that a stub refuses {left:.1f}/s ({left / peak:.0%}); cores used: {self.stub.used()}",
        ]
        for what, case in (("retries of one request", self.retries), ("new texts", self.fresh)):
            shares = f"{case.rate / peak:.0%} of the peak, {case.rate / left:.0%} of what the clients leave"
            lines += [
                f"{self._times:g} times the peak, {what}: goodput {case.rate:.1f}/s, {shares}",
                case.refusals(),
                f"  cores used: {case.used()}",
            ]
        return "\n".join(lines)


async def main(threads: int | None, times: float) -> None:
    """Measure and print."""
    one_line = f", threads: {threads}" if threads else ""
    long = streamed(*[text("x" * 100_000)] * 100, FINISH, usage(USAGE), DONE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truncate(starter(), folder / "one-layer.gguf", 1)
        async with (
            FaultServer(long) as den,
            RunningGateway(
                folder, CONFIG.format(folder=folder, url=den.base_url, threads=one_line), env=KEYS
            ) as gateway,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
        ):
            await gateway.until_ready()
            assert gateway.process is not None
            pid, url = gateway.process.pid, gateway.url
            meter = CpuMeter({"gateway": pid, "engine": worker_of(pid), "clients": os.getpid()})
            comparison = Comparison(client, url, meter, times)
            warm = await closed_loop(client, url, 16)
            await comparison.run(warm.rate)
            print(comparison.report())
            print("Cores that others use are missing to all of it: figures count where those are near 0.")
            print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            await slow_readers(gateway)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, help="compute threads of the engine (default: its own choice)")
    parser.add_argument("--times", type=float, default=10.0, help="the flood's rate, in peaks of the engine")
    args = parser.parse_args()
    asyncio.run(main(args.threads, args.times))
