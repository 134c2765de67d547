"""What a card makes of the embedded engine: one table, for any machine whose llama.cpp can use a GPU.

    make check-gpu [ARGS="--model NAME-OR-GGUF --out FILE"]

Measured: tokens/s and time to first token beside llama-bench and llama-server where they are found, the host's share of
a step, energy of a token by NVML, copies of states, whether unloading returns the memory, two models that take turns.
Without a card it says so and measures nothing; `--anyway` measures on the CPU, to try the script itself.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gateway.core.delta import Text
from gateway.core.document import freeze_object
from gateway.core.labels import Label, Zone
from gateway.core.request import CompletionRequest, Dialect, Sampling
from gateway.core.target import TargetInfo
from gateway.engine.llama.footprint import footprint_of
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.model import Model, can_use_gpu
from gateway.engine.scheduler.step import Row
from gateway.engine.settings import EngineSettings
from gateway.local.embedded.models.files import default_models_dir, model_path
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from gateway.local.models.eviction import MemoryLimits
from gateway.local.models.pool import ModelPool
from tests.bench.engine.client import ask
from tests.bench.engine.workloads import words
from tests.standins.machine import repack_works

PROMPT, ANSWER, CONTEXT, SLOTS = 400, 128, 2048, 8
STREAMS = (1, 4, 8)
Row3 = tuple[str, str, str]  # what, ours, theirs


class Cards:
    """Energy and memory of all cards together, by NVML. Without NVML everything is unknown."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        try:
            import pynvml as nvml

            nvml.nvmlInit()
            self._nvml: Any = nvml
            self._handles = [nvml.nvmlDeviceGetHandleByIndex(n) for n in range(nvml.nvmlDeviceGetCount())]
        except Exception:
            self._nvml = None

    @property
    def names(self) -> str:
        """What the cards are called."""
        return ", ".join(str(self._nvml.nvmlDeviceGetName(handle)) for handle in self._handles)

    def joules(self) -> float | None:
        """Energy since the driver was loaded."""
        with contextlib.suppress(Exception):
            if self._handles:
                return sum(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in self._handles) / 1e3
        return None

    def used(self) -> int | None:
        """Bytes that are taken, by whatever program."""
        with contextlib.suppress(Exception):
            if self._handles:
                return sum(int(self._nvml.nvmlDeviceGetMemoryInfo(handle).used) for handle in self._handles)
        return None


def target_of(name: str, path: str, pool: ModelPool | None = None, **changes: Any) -> EmbeddedTarget:
    """A target for the model, as the gateway would make it."""
    info = TargetInfo(name=name, kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model=name, context=CONTEXT)
    settings = EmbeddedSettings(model=path, context=CONTEXT, slots=SLOTS, repack=repack_works(), **changes)
    footprint = footprint_of(read_header(Path(path)), settings, gpu=can_use_gpu())
    return EmbeddedTarget(info, settings, models=pool, footprint=footprint)


def deadline() -> float:
    """Ten minutes from now."""
    return asyncio.get_running_loop().time() + 600


async def answer(target: EmbeddedTarget, prompt: str, tokens: int = ANSWER) -> float:
    """Answer to the end. Return the seconds until the first text."""
    request = CompletionRequest(
        dialect=Dialect.OPENAI,
        model="m",
        document=freeze_object({}),
        prompts=(prompt,),
        sampling=Sampling(max_tokens=tokens, temperature=0.0, ignore_eos=True),
    )
    began, first = time.perf_counter(), 0.0
    async for delta in target.generate(request, deadline=deadline(), isolation=prompt[:40]):
        if isinstance(delta, Text) and not first:
            first = time.perf_counter() - began
    return first


def prompts(streams: int, turn: int) -> list[str]:
    """Texts that no cache has seen."""
    return [words(PROMPT, 1000 * turn + number) for number in range(streams)]


async def speed(target: EmbeddedTarget, cards: Cards, theirs: "Server | None") -> list[Row3]:
    """Tokens/s, time to first token and energy for each number of streams, beside llama-server, in turn."""
    rows: list[Row3] = []
    for turn, streams in enumerate(STREAMS):
        joules, began = cards.joules(), time.perf_counter()
        firsts = await asyncio.gather(*(answer(target, text) for text in prompts(streams, turn)))
        seconds, after = time.perf_counter() - began, cards.joules()
        other = await theirs.speed(prompts(streams, turn + 50)) if theirs is not None else ("", "")
        what = f"streams {streams}, {PROMPT} words, {ANSWER} tokens"
        rows.append((f"tokens/s, {what}", f"{streams * ANSWER / seconds:.1f}", other[0]))
        rows.append((f"time to first token, {what}", f"{statistics.median(firsts) * 1e3:.0f} ms", other[1]))
        if joules is not None and after is not None:
            rows.append((f"energy, {what}", f"{(after - joules) / (streams * ANSWER):.3f} J a token", ""))
    return rows


class Server:
    """A running llama-server."""

    def __init__(self, program: str, model: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        command = [program, "-m", model, "-c", str(CONTEXT * SLOTS), "-np", str(SLOTS), "-ngl", "999"]
        command += ["--host", "127.0.0.1", "--port", str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def ready(self) -> bool:
        """Wait until it answers. False: it has ended."""
        body = {"prompt": "Hello", "max_tokens": 1}
        while self._process.poll() is None:
            with contextlib.suppress(OSError):
                if (await ask(self._port, "/v1/completions", body)).tokens:
                    return True
            await asyncio.sleep(0.2)
        return False

    async def speed(self, texts: list[str]) -> tuple[str, str]:
        """Tokens/s and time to first token."""
        body = {"max_tokens": ANSWER, "temperature": 0.0, "ignore_eos": True}
        began = time.perf_counter()
        found = await asyncio.gather(*(ask(self._port, "/v1/completions", body | {"prompt": text}) for text in texts))
        seconds = time.perf_counter() - began
        tokens = sum(stream.tokens for stream in found)
        return f"{tokens / seconds:.1f}", f"{statistics.median(stream.first for stream in found) * 1e3:.0f} ms"

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)


def bench(program: str, model: str) -> list[Row3]:
    """What llama-bench says of reading and writing."""
    command = [program, "-m", model, "-p", "512", "-n", str(ANSWER), "-o", "json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    if done.returncode:
        return [("llama-bench", "", f"failed: {done.stderr[-100:].decode('utf-8', 'replace').strip()}")]
    return [
        (f"llama-bench, {'writing' if test['n_gen'] else 'reading'}", "", f"{test['avg_ts']:.1f} tokens/s")
        for test in json.loads(done.stdout)
    ]


@contextmanager
def loaded(path: str) -> Iterator[Model]:
    """The model in this process."""
    model = Model(EngineSettings(model=path, context=CONTEXT, slots=2, repack=repack_works()), threads=4)
    try:
        yield model
    finally:
        model.close()


def steps_and_states(path: str) -> list[Row3]:
    """How long one step takes at batch 1, and what saving, restoring and copying a sequence costs."""
    with loaded(path) as model:
        tokens = [token % model.vocabulary.size for token in range(1024)]
        for start in range(0, len(tokens), 512):
            model.decode((Row(slot=0, position=start, tokens=tokens[start : start + 512], outputs=1),))
        times = []
        for position in range(len(tokens), len(tokens) + 64):
            began = time.perf_counter()
            model.decode((Row(slot=0, position=position, tokens=(1,), outputs=1),))
            times.append(time.perf_counter() - began)
        began = time.perf_counter()
        state = model.save(0)
        saved = time.perf_counter()
        model.restore(1, state)
        ended = time.perf_counter()
        one = model.decode((Row(slot=0, position=1088, tokens=(1,), outputs=1),)).copy()
        other = model.decode((Row(slot=1, position=1088, tokens=(1,), outputs=1),))
        same = float(np.abs(one - other).max())
    size = len(state) / 1e6
    return [
        ("a step at batch 1, 1,024 tokens before", f"{statistics.median(times) * 1e3:.3f} ms", ""),
        (f"a state of 1,088 tokens ({size:.1f} MB) saved", f"{(saved - began) * 1e3:.1f} ms", ""),
        ("the same restored into another slot", f"{(ended - saved) * 1e3:.1f} ms", ""),
        ("largest difference of a logit after that", f"{same:.4f}", ""),
    ]


def host_share(path: str) -> list[Row3]:
    """Time between the logits of one step and the start of the next, in the worker's own loop."""
    from tests.bench.engine.host import SPECS, measured

    with loaded(path) as model:
        rows: list[Row3] = []
        for name, spec in SPECS.items():
            watch = measured(model, spec, 1, 256, {}, False, clock=time.perf_counter_ns)
            share = statistics.median(watch.host) / 1e3
            rows.append((f"host's share of a step, {name}, batch 1", f"{share:.0f} us", ""))
    return rows


async def unloading(path: str, cards: Cards) -> list[Row3]:
    """Memory of the cards before a load, while the model is there, and after it has gone."""
    before = cards.used()
    target = target_of("m", path)
    await target.start()
    await answer(target, "Hello", 4)
    there = cards.used()
    await target.close()
    after = cards.used()
    if before is None or there is None or after is None:
        return [("memory of the card before, with the model, after", "unknown: no NVML", "")]
    figures = ", ".join(f"{one / 1e9:.2f}" for one in (before, there, after))
    return [("memory of the card before, with the model, after", f"{figures} GB", "")]


async def swapping(path: str) -> list[Row3]:
    """Two models in a memory that holds one: seconds until each has answered in its turn."""
    need = footprint_of(read_header(Path(path)), EngineSettings(model=path, context=CONTEXT, slots=SLOTS)).total
    pool = ModelPool(MemoryLimits(memory=int(need * 1.5)))
    pair = [target_of(name, path, pool, load="on_demand") for name in ("a", "b")]
    times = []
    for turn in range(4):
        await pair[turn % 2].start()
        began = time.perf_counter()
        await answer(pair[turn % 2], "Hello", 4)
        times.append(f"{time.perf_counter() - began:.2f}")
    for target in pair:
        await target.close()
    return [("two models in turn, seconds until each has answered", ", ".join(times), "")]


async def measure(args: argparse.Namespace, cards: Cards) -> list[Row3]:
    """All rows of the table."""
    path = str(model_path(args.model, default_models_dir()))
    rows = bench(args.llama_bench, path) if args.llama_bench else []
    server = Server(args.llama_server, path) if args.llama_server else None
    try:
        if server is not None and not await server.ready():
            rows.append(("llama-server", "", "it ended before it could answer"))
            server.close()
            server = None
        target = target_of("m", path)
        await target.start()
        await answer(target, "Hello", 8)
        rows += await speed(target, cards, server)
        await target.close()
    finally:
        if server is not None:
            server.close()
    rows += await unloading(path, cards)
    rows += await swapping(path)
    rows += steps_and_states(path)
    return rows + host_share(path)


def table(rows: list[Row3], head: str) -> str:
    """The rows as Markdown."""
    lines = [head, "", "| what | the engine | llama.cpp's own |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {ours} | {theirs} |" for what, ours, theirs in rows)]) + "\n"


def main() -> int:
    """Print the table and write it to a file. Exit code 0 also where there is no card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--out", type=Path, default=Path("check-gpu.md"))
    parser.add_argument("--llama-bench", default=shutil.which("llama-bench"))
    parser.add_argument("--llama-server", default=shutil.which("llama-server"))
    parser.add_argument("--anyway", action="store_true", help="measure on the CPU where there is no card")
    args = parser.parse_args()
    cards = Cards()
    if not can_use_gpu() and not args.anyway:
        found = f"; NVML sees {cards.names}" if cards.names else ""
        print(f"not run: this build of llama.cpp can use no GPU here{found}. docs/models.md says how to build it.")
        return 0
    where = cards.names or ("a card without NVML" if can_use_gpu() else "no card, on the CPU")
    head = f"{where}; {Path(args.model).name}; {time.strftime('%Y-%m-%d')}"
    text = table(asyncio.run(measure(args, cards)), head)
    print(text)
    args.out.write_text(text)
    print(f"Written to {args.out}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
