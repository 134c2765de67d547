"""What watching costs: CPU per request and per streamed piece, a scrape, and how long a scrape holds up a stream.

Run: `python -m tests.bench.observe`. Prints figures; asserts nothing, because machines differ.
"""

import asyncio
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import msgspec
import uvloop

from gateway.core.labels import Label, Zone
from gateway.core.record import Reservation
from gateway.core.target import Catalog, TargetInfo
from gateway.ledger import Ledger, LedgerSettings
from gateway.observe import ActiveRequests, EnergySampler, EnergySettings, Metrics, Tariff, World
from tests.observe.conftest import (
    KNOWN,
    READINGS,
    began,
    budgets,
    decided,
    make_receipt,
    make_settlement,
    settled,
    states,
)


def many_models(count: int) -> Metrics:
    """A house with that many models, half of them in a cloud."""
    targets = {}
    for number in range(count):
        zone = Zone.CLOUD if number % 2 else Zone.LOCAL
        name = f"target{number}"
        targets[name] = TargetInfo(
            name=name, kind="openai", zone=zone, ceiling=Label.PUBLIC, model=f"provider/model-number-{number}"
        )
    targets["home"] = KNOWN.catalog.targets["home"]
    catalog = Catalog(targets=targets, aliases=KNOWN.catalog.aliases)
    known = msgspec.structs.replace(KNOWN, catalog=catalog, rules=tuple(f"rule number {n}" for n in range(20)))
    return Metrics(known, World(states=states, budgets=budgets, readings=lambda: READINGS))


def per_call(work: Callable[[], None], rounds: int) -> float:
    """CPU microseconds a call, best of five."""
    best = float("inf")
    for _ in range(5):
        begun = time.thread_time()
        for _ in range(rounds):
            work()
        best = min(best, time.thread_time() - begun)
    return best / rounds * 1e6


def counting() -> None:
    """Events of one request with 200 pieces."""
    metrics = many_models(50)
    receipt = make_receipt()
    events = (decided(receipt), settled(receipt))
    gaps = settled(receipt, gaps=[0.005 + number / 1e4 for number in range(200)])

    def request() -> None:
        for event in events:
            metrics.on(event)

    print(f"metrics, events of one request     {per_call(request, 3000):8.2f} µs CPU   (limit 40)")
    print(f"metrics, one piece of a stream     {per_call(lambda: metrics.on(gaps), 500) / 200:8.3f} µs CPU   (limit 2)")


def longest_stretch(metrics: Metrics) -> float:
    """Milliseconds that a render holds the interpreter before it offers it to others; best of five."""
    marks: list[float] = []
    stretches = []
    with patch.object(time, "sleep", lambda _: marks.append(time.perf_counter())):
        for _ in range(5):
            marks[:] = [time.perf_counter()]
            metrics.render()
            marks.append(time.perf_counter())
            stretches.append(max(after - before for before, after in pairwise(marks)))
    return min(stretches) * 1e3


async def scraping() -> None:
    """Renders in a thread while a stream's clock ticks on the loop."""
    metrics = many_models(50)
    size = len(metrics.render())
    begun = time.perf_counter()
    for _ in range(20):
        metrics.render()
    print(
        f"scrape with 50 models              {(time.perf_counter() - begun) / 20 * 1e3:8.2f} ms        ({size} bytes)"
    )
    print(f"longest stretch of it at one go    {longest_stretch(metrics):8.2f} ms        (limit 2)")
    for label, scrapes in (("without scrapes", 0), ("during scrapes", 60)):
        late = await lateness(metrics, scrapes)
        late.sort()
        print(
            f"a piece's delay {label:16}   {late[-1] * 1e3:8.2f} ms worst  "
            f"{late[int(len(late) * 0.999)] * 1e3:.2f} p99.9  {statistics.median(late) * 1e3:.3f} median"
        )


async def lateness(metrics: Metrics, scrapes: int) -> list[float]:
    """How late a task on the loop wakes up that wants to every millisecond."""
    late: list[float] = []
    done = asyncio.Event()

    async def stream() -> None:
        while not done.is_set():
            due = time.perf_counter() + 0.001
            await asyncio.sleep(0.001)
            late.append(max(0.0, time.perf_counter() - due))

    ticking = asyncio.get_running_loop().create_task(stream())
    for _ in range(scrapes):
        await asyncio.to_thread(metrics.render)
        await asyncio.sleep(0.01)
    if not scrapes:
        await asyncio.sleep(1.5)
    done.set()
    await ticking
    return late


def sampling() -> None:
    """One tick: split, tariff, account. The drivers' own time comes on top: an NVML card answers in well under 1 ms."""
    active = ActiveRequests()
    settings = EnergySettings(nvml=False, amd=False, rapl=False, idle_watts=40, tariff=Tariff(hours=(0.2,) * 24))
    sampler = EnergySampler(settings, active)
    sampler.open()
    for number in range(8):
        active.on(began(f"running{number}"))
    cost = per_call(sampler.tick, 2000)
    print(f"sampler, one tick                  {cost:8.2f} µs CPU   ({cost / 1e4:.4f} % of a core, limit 0.2)")


async def writing() -> None:
    """Receipt and settlement: CPU on the loop's thread and in the whole process, latency, rate at once."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(LedgerSettings(directory=Path(folder)))
        await ledger.open()
        reservation = Reservation(target="big", zone=Zone.CLOUD, micros=500)
        number = 0

        async def one() -> None:
            nonlocal number
            number += 1
            name = f"req_{number:026d}"
            await ledger.receive(make_receipt(name), reservation)
            await ledger.settle(make_settlement(name))

        latencies = []
        for _ in range(200):
            begun = time.perf_counter()
            await ledger.receive(make_receipt(f"lat{len(latencies)}"), reservation)
            latencies.append(time.perf_counter() - begun)
        latencies.sort()
        print(
            f"ledger, a receipt alone            {latencies[100] * 1e3:8.2f} ms median  {latencies[198] * 1e3:.2f} p99"
        )
        for together in (8, 64):
            loop_cpu, all_cpu, wall = time.thread_time(), time.process_time(), time.perf_counter()
            for _ in range(1024 // together):
                await asyncio.gather(*(one() for _ in range(together)))
            loop_cpu, all_cpu = time.thread_time() - loop_cpu, time.process_time() - all_cpu
            wall = time.perf_counter() - wall
            print(
                f"ledger, {together:3} requests at once         {loop_cpu / 1024 * 1e6:8.2f} µs CPU on the loop, "
                f"{all_cpu / 1024 * 1e6:.0f} µs in all, {1024 / wall:.0f} requests/s"
            )
        hashes = [bytes([value]) * 16 for value in range(20)]
        await ledger.taint_lookup(hashes)
        begun = time.thread_time()
        for _ in range(2000):
            await ledger.taint_lookup(hashes)
        print(f"ledger, 20 unknown turns looked up {(time.thread_time() - begun) / 2000 * 1e6:8.2f} µs CPU")
        await ledger.close()


def main() -> int:
    """Everything, one after the other."""
    print(f"Python {sys.version.split()[0]}, {threading.active_count()} thread")
    counting()
    sampling()
    uvloop.run(scraping())
    uvloop.run(writing())
    return 0


if __name__ == "__main__":
    sys.exit(main())
