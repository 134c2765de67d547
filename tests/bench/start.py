"""How long a restart after a kill takes: the whole gateway with the starter model, and beside it its bare imports.

Run: `python -m tests.bench.start`. Prints figures; asserts nothing, because machines differ.
"""

import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.standins.gateway import starter_models
from tests.standins.machine import tell_gateway

STARTS = 7
_LOOK_SECONDS = 0.01
_URL = re.compile(r"http://[\w.\[\]:]+")


def bare_import() -> float:
    """Seconds of a Python that imports what the gateway imports, and ends."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import gateway.cli.serve, gateway.app.wiring"], check=True)
    return time.perf_counter() - begun


def ready(url: str) -> bool:
    """Whether `/readyz` says so."""
    try:
        with urllib.request.urlopen(url + "/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


async def until_listening(output: asyncio.StreamReader) -> str:
    """The base URL, once the log says it."""
    async for line in output:
        if b"listening" in line and (found := _URL.search(line.decode())):
            return found.group()
    raise RuntimeError("the gateway did not start")


async def start(config: Path, state: Path) -> tuple[float, float, float]:
    """Seconds until it listens and until it is ready, and the megabytes that the gateway then has. Ends with a kill."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"ADUANA_STATE_DIR": str(state), "NO_COLOR": "1"},
    )
    assert process.stdout is not None
    try:
        url = await until_listening(process.stdout)
        listening = time.perf_counter() - begun
        while not ready(url):  # noqa: ASYNC110 - readiness has no event
            await asyncio.sleep(_LOOK_SECONDS)
        seconds = time.perf_counter() - begun
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        return listening, seconds, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def measure(folder: Path, slots: int) -> None:
    """Start again and again with so many slots, beside the bare imports, and print the medians."""
    config = folder / "aduana.yaml"
    target = f"targets: {{home: {{kind: embedded, model: smollm2, slots: {slots}}}}}"
    config.write_text(f"models_dir: {starter_models(folder / 'models')}\n{target}\n", encoding="utf-8")
    state = folder / f"state-{slots}"
    tell_gateway(state, folder / "models" / "smollm2.gguf")
    await start(config, state)  # compiles patterns and measures steps, once
    bare, listening, until_ready, megabytes = [], [], [], []
    for _ in range(STARTS):
        bare.append(bare_import())
        first, second, memory = await start(config, state)
        listening.append(first)
        until_ready.append(second)
        megabytes.append(memory)
    floor = statistics.median(bare)
    print(f"{slots} slots: bare import of what it imports {floor:.2f} s")
    for what, values in (("listens", listening), ("ready", until_ready)):
        middle = statistics.median(values)
        print(f"  {what:8} {middle:.2f} s ({min(values):.2f} to {max(values):.2f}), {middle / floor:.2f} × the import")
    print(f"  {statistics.median(megabytes):.0f} MB when ready, without the engine's process")


async def main() -> None:
    """Measure the default, whose KV cache of 1.5 GB llama.cpp clears first, and a smaller one."""
    with tempfile.TemporaryDirectory() as name:
        for slots in (8, 2):
            await measure(Path(name), slots)
    print(f"medians of {STARTS}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    asyncio.run(main())
