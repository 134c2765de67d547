"""The embedded engine beside llama-server: same machine, same model file, same moment, in turn.

    python -m tests.bench.engine [--llama-server PATH] [--model GGUF] [--rounds 3] [--only WORDS] [--loaded] …

llama-server should be built from the llama.cpp source inside the installed llama-cpp-python's source distribution, with
the same flags; without one, the server inside the package xllamacpp takes its place. It runs with separate and with
unified KV memory, and the better of the two counts. Printed are medians and their ratio (ours / theirs): for tokens/s
more is better, for everything else less. Machines are noisy: only ratios of one run mean anything. `--loaded`: one
user's conversation while another program takes a core.
"""

import argparse
import asyncio
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.local.embedded.models.files import default_models_dir, model_path
from tests.bench.engine.client import usage_of
from tests.bench.engine.workloads import WORKLOADS, Numbers, Server
from tests.standins import llama_server

_SLOTS, _CONTEXT = 16, 2560
_ONE_USER = "conversation, 1 user"
_CONFIG = f"""
server: {{{{port: {{port}}, anonymous: true}}}}
keys: {{{{flood: {{{{secret: "file:{{flood}}"}}}}, light: {{{{secret: "file:{{light}}"}}}}}}}}
state_dir: {{state}}
targets:
  home: {{{{kind: embedded, model: {{model}}, context: {_CONTEXT}, slots: {_SLOTS}, {{threads}}queue: 256}}}}
models: {{{{m: {{{{targets: [home]}}}}}}}}
unknown_model: m
"""
_MEASURES = ("tokens/s", "wall", "ttft p50", "ttft p95", "cpu/1k")


def main() -> int:
    """Exit code 2: llama-server or the model is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--llama-server", default=shutil.which("llama-server"))
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="0: as many as each side takes by itself")
    parser.add_argument("--gateway", action="store_true", help="also through the whole gateway, beside the bare engine")
    parser.add_argument("--only", default="", help="workloads whose name contains one of these, by semicolons")
    parser.add_argument(
        "--loaded", action="store_true", help="one user (or --only), beside a program that takes a core"
    )
    args = parser.parse_args()
    if not args.llama_server and not llama_server.is_installed():
        print("There is no llama-server: 'make bench-engine' installs the package xllamacpp, or pass --llama-server.")
        return 2
    model = str(model_path(args.model, default_models_dir()))
    wanted = args.only.split(";")
    chosen = [name for name in WORKLOADS if any(part.strip() in name for part in wanted)]
    if args.loaded and not args.only:
        chosen = [_ONE_USER]
    with tempfile.TemporaryDirectory() as logs, _beside(args.loaded):
        commands = _commands(args.llama_server, model, args.threads)
        if args.gateway:
            commands["gateway"] = _gateway(Path(logs), model, args.threads)
        processes = {name: _start(name, command, port, Path(logs)) for name, (command, port) in commands.items()}
        try:
            servers = [
                Server(
                    name=name,
                    port=commands[name][1],
                    pid=process.pid,
                    health="/readyz" if name == "gateway" else "/health",
                )
                for name, process in processes.items()
            ]
            for server in servers:
                _until_ready(server, processes[server.name])
            seen = asyncio.run(_compare(servers, chosen, args.rounds))
            memory = {server.name: usage_of(server.pid)[1] for server in servers}
            for name, megabytes in memory.items():
                print(f"memory of {name}: {megabytes:.0f} MB")
            for line in _judged(seen, memory, loaded=args.loaded):
                print(line)
        finally:
            for process in processes.values():
                process.terminate()
            for process in processes.values():
                process.wait(20)
    return 0


@contextmanager
def _beside(loaded: bool) -> Iterator[None]:
    """Let another program take a core meanwhile, where that is wanted."""
    if not loaded:
        yield
        return
    # It ends with us, however we end: a program that takes a core must not be left behind.
    busy_while_we_live = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(10_000))"
    with subprocess.Popen([sys.executable, "-c", busy_while_we_live]) as busy:
        try:
            yield
        finally:
            busy.kill()


def _commands(built: str | None, model: str, threads: int) -> dict[str, tuple[list[str], int]]:
    """Return how each server is started, and its port. `built`: path of a llama-server; None: that of a package."""
    ports = [_free_port() for _ in range(3)]
    shape = [model, str(_CONTEXT), str(_SLOTS), str(threads)]
    if built:
        theirs = [built, "-m", model, "-c", str(_SLOTS * _CONTEXT), "-np", str(_SLOTS)]
        theirs += ["-t", str(threads)] if threads else []
        separate, unified = ([*theirs, "--port", str(ports[1])], [*theirs, "-kvu", "--port", str(ports[2])])
    else:
        print("llama.cpp's server: that of the package xllamacpp, which is not built for this CPU alone.")
        packaged = [sys.executable, "-m", "tests.standins.llama_server"]
        separate, unified = [*packaged, str(ports[1]), *shape], [*packaged, str(ports[2]), *shape, "unified"]
    return {
        "aduana": ([sys.executable, "-m", "tests.bench.engine.front", str(ports[0]), *shape], ports[0]),
        "separate": (separate, ports[1]),
        "unified": (unified, ports[2]),
    }


def _gateway(folder: Path, model: str, threads: int) -> tuple[list[str], int]:
    """The product as people start it: policy, inspection, receipts and metrics on."""
    port = _free_port()
    config = folder / "aduana.yaml"
    apps = {name: folder / name for name in ("flood", "light")}
    for name, file in apps.items():
        file.write_text(name)
    said = f"threads: {threads}, " if threads else ""
    config.write_text(_CONFIG.format(port=port, state=folder / "state", model=model, threads=said, **apps))
    return [sys.executable, "-m", "gateway", "serve", "--config", str(config)], port


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _start(name: str, command: list[str], port: int, logs: Path) -> "subprocess.Popen[bytes]":
    with (logs / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def _until_ready(server: Server, process: "subprocess.Popen[bytes]") -> None:
    while True:
        if process.poll() is not None:
            raise SystemExit(f"{server.name} ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{server.health}", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)


Seen = dict[str, dict[str, list[Numbers]]]  # workload → server → rounds


def _judged(seen: Seen, memory: dict[str, float], *, loaded: bool) -> list[str]:
    """What no column shows: our figures beside each other, and the promises about them."""
    smaller = min(memory["separate"], memory["unified"])
    lines = [f"memory beyond the smaller llama-server: {memory['aduana'] - smaller:+.0f} MB (at most 70)"]
    if one := seen.get(_ONE_USER):
        speeds = {name: statistics.median(run["tokens/s"] for run in runs) for name, runs in one.items()}
        ratio = speeds["aduana"] / max(speeds["separate"], speeds["unified"])
        where, least = ("beside a program that takes a core", 0.95) if loaded else ("alone", 1.0)
        lines.append(f"one user's conversation, {where}: {ratio:.2f} of llama-server's tokens/s (at least {least})")
    free, strict = (seen.get(name, {}).get("aduana") for name in ("free text, 8 chats", "JSON schema, 8 chats"))
    if free and strict:
        # Round by round, for what else the machine does changes.
        ratios = [one["tokens/s"] / other["tokens/s"] for one, other in zip(strict, free, strict=True)]
        lines.append(f"tokens/s with a JSON schema: {statistics.median(ratios):.2f} of free text (at least 0.90)")
    for server, runs in seen.get("light app beside a flood", {}).items():
        ratio = statistics.median(run["ttft p95"] / run["alone"] for run in runs)
        beside, alone = (1000 * statistics.median(run[key] for run in runs) for key in ("ttft p95", "alone"))
        promise = " (at most 2)" if server == "aduana" else ""
        lines.append(f"flood, {server}: TTFT p95 {alone:.0f} ms alone, {beside:.0f} ms beside: {ratio:.2f}{promise}")
    return lines


async def _compare(servers: list[Server], names: list[str], rounds: int) -> Seen:
    draw = random.Random()
    print(f"{'workload':32}" + "".join(f"{measure:>24}" for measure in _MEASURES) + "   (ours, ratio to the better)")
    theirs = [server.name for server in servers if server.name not in ("aduana", "gateway")]
    seen: Seen = {}
    for name in names:
        results: dict[str, list[Numbers]] = {server.name: [] for server in servers}
        seen[name] = results
        for _ in range(rounds):
            seed = draw.randrange(10**9)
            for server in draw.sample(servers, len(servers)):
                results[server.name].append(await WORKLOADS[name](server, seed))
        print(f"{name:32}" + "".join(_cell(results, "aduana", theirs, m) for m in _MEASURES), flush=True)
        if "gateway" in results:
            cells = "".join(_cell(results, "gateway", ["aduana"], measure) for measure in _MEASURES)
            print(f"{'  through the gateway':32}{cells}   (ratio to the bare engine)", flush=True)
    return seen


def _cell(results: dict[str, list[Numbers]], ours: str, others: list[str], measure: str) -> str:
    medians = {name: statistics.median(run[measure] for run in runs) for name, runs in results.items()}
    better = max if measure == "tokens/s" else min
    best = better(medians[name] for name in others)
    return f"{medians[ours]:>14.3f} ({medians[ours] / best:>5.2f}) "


if __name__ == "__main__":
    sys.exit(main())
