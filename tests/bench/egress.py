"""What the egress process costs: the same requests to the same stand-in cloud, by the gateway itself and through it.

`python -m tests.bench.egress [--requests N] [--at-once N]`. Both ways take turns in rounds, so that a machine that is
busy disturbs both. Told are the time from the clearance to the end of a short answer, and what both processes computed
for it together. The quickest tenth says most: those requests waited for no core.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from gateway.cloud import CloudSettings, CloudTarget
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.egress.child import EgressChild
from gateway.egress.keys import new_seal
from gateway.egress.messages import Provider, Setup
from gateway.egress.sender import Sender
from gateway.egress.signing import Signer
from gateway.wire import openai
from tests.faults.clearing import clearance_for
from tests.faults.fault_server import GOOD, FaultServer
from tests.faults.targets import CHAT

ROUNDS = 10
INFO = TargetInfo(name="big", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="provider-model")


async def serve() -> None:
    """Be the cloud, in a process of its own."""
    async with FaultServer(GOOD) as server:
        print(server.base_url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def asked(target: CloudTarget, count: int) -> list[float]:
    """Ask one request after the other, and return the seconds that each took."""
    seconds = []
    for _ in range(count):
        clearance = clearance_for(openai.parse_chat(CHAT), INFO)
        begun = time.perf_counter()
        async for _delta in target.generate(clearance, deadline=asyncio.get_running_loop().time() + 60):
            pass
        seconds.append(time.perf_counter() - begun)
    return seconds


def processor_seconds(child: int) -> float:
    """Return the seconds that this process, and those that the egress process's keeper started, have computed."""
    total = time.process_time()
    for pid in (child, *map(int, Path(f"/proc/{child}/task/{child}/children").read_text().split())):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return total


async def measured(base_url: str, requests: int, at_once: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the seconds of each request, by the way in which it was sent, and what all of them computed."""
    settings = CloudSettings(base_url=base_url)
    seal = new_seal()
    provider = Provider(name="big", ceiling=Label.PUBLIC, settings=settings, endpoints=INFO.endpoints)
    cache = str(Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "aduana")
    child = EgressChild(Setup(providers=(provider,), seal=seal, cache=cache), {})
    await child.start()
    sender = Sender(child, Signer(seal))
    targets: Mapping[str, CloudTarget] = {
        "in the gateway": CloudTarget(INFO, settings, on_violation=print),
        "through egress": CloudTarget(INFO, settings, on_violation=print, door=lambda: sender.door("big")),
    }
    seconds: dict[str, list[float]] = {name: [] for name in targets}
    computed = dict.fromkeys(targets, 0.0)
    assert child.pid is not None
    try:
        for target in targets.values():
            await target.start()
            await asked(target, 20)
        for _ in range(ROUNDS):
            for name, target in targets.items():
                part = max(1, requests // ROUNDS // at_once)
                before = processor_seconds(child.pid)
                for found in await asyncio.gather(*(asked(target, part) for _ in range(at_once))):
                    seconds[name] += found
                computed[name] += processor_seconds(child.pid) - before
    finally:
        for target in targets.values():
            await target.close()
        await sender.close()
        await child.close()
    return seconds, computed


def main() -> None:
    """Measure, and print one line for each way and the difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve())
        return
    cloud = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.egress", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert cloud.stdout is not None
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    try:
        seconds, computed = run(measured(cloud.stdout.readline().strip(), args.requests, args.at_once))
    finally:
        assert cloud.stdin is not None
        cloud.stdin.close()
        cloud.wait()
    quickest = {name: statistics.quantiles(found, n=10)[0] for name, found in seconds.items()}
    for name, found in seconds.items():
        print(
            f"{name}: quickest tenth {quickest[name] * 1000:.3f} ms, median {statistics.median(found) * 1000:.3f} ms, "
            f"computing {computed[name] / len(found) * 1000:.3f} ms"
        )
    own, through = quickest.values()
    print(f"difference of the quickest tenth: {(through - own) * 1000:.3f} ms a request, ratio {through / own:.2f}")


if __name__ == "__main__":
    main()
