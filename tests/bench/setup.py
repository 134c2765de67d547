"""How long it takes from nothing to the first answer: the wheel installed into an empty environment, then a request.

Run: `python -m tests.bench.setup` (or `make bench-setup`). Prints a table; `--limit 60` ends with 1 where it all takes
longer. Seconds of the CPU stand beside those of the clock, for a machine that others use tells little by its clock.
Needs the network, for pip fetches what the wheel asks for.
"""

import argparse
import asyncio
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from tests.standins.cloud import StandInCloud

ROOT = Path(__file__).resolve().parents[2]
_LISTENING = re.compile(rb"listening.*?(http://[\w.\[\]:]+)")
_HELPS = 9


class Stopwatch:
    """Seconds of named steps, in the order in which they ended."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float, float]] = []

    def run(self, what: str, command: Sequence[str | Path], **environment: str) -> None:
        """Run a command to its end and note how long it took.

        Raises:
            RuntimeError: it failed; says its last lines.
        """
        begun = now()
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
        self.note(what, begun)
        if done.returncode:
            raise RuntimeError(f"{what}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def note(self, what: str, begun: tuple[float, float]) -> None:
        """Note the seconds since `begun`."""
        clock, cpu = now()
        self.steps.append((what, clock - begun[0], cpu - begun[1]))

    def total(self) -> tuple[float, float]:
        """Return all seconds, by the clock and of the CPU."""
        return sum(clock for _, clock, _ in self.steps), sum(cpu for _, _, cpu in self.steps)


def now() -> tuple[float, float]:
    """Return seconds by the clock, and those of the CPU that ended child processes took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), used.ru_utime + used.ru_stime


async def first_answer(python: Path, folder: Path, targets: str) -> None:
    """Start the gateway in a folder and return when a chat was answered.

    Raises:
        RuntimeError: the gateway does not start, or refuses.
    """
    (folder / "aduana.yaml").write_text(targets)
    process = await asyncio.create_subprocess_exec(
        *(python, "-m", "gateway", "serve", "--port", "0"),
        cwd=folder,
        env=os.environ | {"ADUANA_STATE_DIR": str(folder / "state"), "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        said = b""
        while (found := _LISTENING.search(said)) is None:
            line = await process.stdout.readline()
            if not line:
                raise RuntimeError(said.decode())
            said += line
        drained = asyncio.create_task(process.stdout.read())
        body = {"model": "auto", "max_tokens": 8, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
        async with (
            aiohttp.ClientSession() as session,
            session.post(found[1].decode() + "/v1/chat/completions", json=body) as answer,
        ):
            if answer.status != 200:
                raise RuntimeError(await answer.text())
            await answer.read()
    finally:
        process.terminate()
        await process.wait()
    await drained


def versions(lock: str) -> str:
    """Return a lock file's versions without its digests: a wheel of our own has none in it."""
    return "\n".join(line.removesuffix("\\").rstrip() for line in lock.splitlines() if "--hash=" not in line) + "\n"


async def measure(folder: Path, *, cold: bool, engine: bool) -> tuple[Stopwatch, float]:
    """Return the steps, and the median seconds of `aduana --help`."""
    watch = Stopwatch()
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    watch.run("python -m venv", [sys.executable, "-m", "venv", folder / "venv"])
    cache = ["--no-cache-dir"] if cold else []
    (folder / "constraints.txt").write_text(versions((ROOT / "requirements.lock").read_text()))
    pins = ["--constraint", folder / "constraints.txt"]
    watch.run("pip install of the wheel", [python, "-m", "pip", "install", "-q", *cache, *pins, wheel])
    work = folder / "work"
    work.mkdir()
    if engine:
        watch.run(
            "aduana engine install",
            [python, "-m", "gateway", "engine", "install"],
            ADUANA_STATE_DIR=str(work / "state"),
        )
        begun = now()
        await first_answer(python, work, "targets: {home: {kind: embedded, model: smollm2}}\n")
        watch.note("aduana serve to the first answer, by the starter model", begun)
    else:
        async with StandInCloud() as server:
            target = f"{{kind: openai, zone: local, base_url: '{server.base_url}', model: m, context: 4096}}"
            begun = now()
            await first_answer(python, work, f"targets: {{home: {target}}}\n")
            watch.note("aduana serve to the first answer, by a server at home", begun)
    return watch, help_seconds(python.with_name("aduana"))


def help_seconds(aduana: Path) -> float:
    """Return the median seconds of `aduana --help`."""
    taken = []
    for _ in range(_HELPS):
        begun = time.perf_counter()
        subprocess.run([aduana, "--help"], stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> int:
    """Measure, print a table, and return 0; 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cold", action="store_true", help="without pip's cache: everything is fetched")
    parser.add_argument("--engine", action="store_true", help="with the engine, ready-made or compiled: minutes")
    parser.add_argument("--limit", type=float, help="most seconds in all")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aduana-setup-") as folder:
        shutil.rmtree(ROOT / "build", ignore_errors=True)  # what an older build left there would get into the wheel
        subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True)
        shutil.rmtree(ROOT / "build", ignore_errors=True)
        watch, help_took = asyncio.run(measure(Path(folder), cold=said.cold, engine=said.engine))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}")
    print("\n| step | seconds | of the CPU |\n|---|---|---|")
    clock, cpu = watch.total()
    for what, seconds, used in [*watch.steps, ("**all**", clock, cpu)]:
        print(f"| {what} | {seconds:.1f} | {used:.1f} |")
    print(f"\n`aduana --help`: {1000 * help_took:.0f} ms (median of {_HELPS})")
    return 1 if said.limit is not None and clock > said.limit else 0


if __name__ == "__main__":
    sys.exit(main())
