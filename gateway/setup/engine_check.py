"""Whether the installed build of llama.cpp computes here, tried in a process of its own, for it may crash."""

import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

import gateway

_CPU_FAULTS = {signal.SIGILL, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV}
_SECONDS = 900  # a driver that translates code for a new card takes minutes, once
_DISTRIBUTION = "llama-cpp-python"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What a build computes on. `type`: cpu, gpu, igpu or accelerator; `memory` in bytes."""

    name: str
    description: str = ""
    type: str = "cpu"
    memory: int = 0


class EngineCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of the engine.

    `version` is empty where it is not installed. `works`: it computed; else `problem` says in sentences what happened.
    `repack`: False where it crashes with weights repacked for this CPU, which the engine then does without. `gpu`: it
    was built for cards and sees one. `origin`: the address that it was installed from, where pip kept that.
    """

    version: str = ""
    origin: str = ""
    folder: str = ""
    works: bool = False
    repack: bool = True
    gpu: bool = False
    devices: tuple[Device, ...] = ()
    features: tuple[str, ...] = ()  # instruction sets that it was built for
    step_ms: float | None = None  # one token of the tiny model that it is tried with
    problem: str = ""

    @property
    def on_card(self) -> bool:
        """Tell whether it computes on a card."""
        return self.works and self.gpu and any(device.type in ("gpu", "igpu") for device in self.devices)


def check_engine(python: str = sys.executable) -> EngineCheck:
    """Try the build that this Python has, and return what was found. Takes a second or two."""
    known = _installed()
    if not known.version:
        return known
    tried = _try(python)
    repack = True
    if tried.returncode < 0 and -tried.returncode in _CPU_FAULTS and -tried.returncode != signal.SIGILL:
        tried, repack = _try(python, "--no-repack"), False
    try:
        said = json.loads(tried.stdout)
    except ValueError:
        return msgspec.structs.replace(known, problem=_death(tried))
    return msgspec.structs.replace(
        known,
        works=tried.returncode == 0,
        repack=repack,
        gpu=bool(said.get("gpu")),
        devices=msgspec.convert(said.get("devices", ()), tuple[Device, ...]),
        features=_features(said.get("system", "")),
        step_ms=said.get("step_ms"),
        problem=said.get("problem", ""),
    )


def _installed() -> EngineCheck:
    spec = importlib.util.find_spec("llama_cpp")
    try:
        found = importlib.metadata.distribution(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return EngineCheck(problem="The engine is not installed: 'aduana engine install'.")
    direct = found.read_text("direct_url.json")
    return EngineCheck(
        version=found.version,
        origin=str(json.loads(direct).get("url", "")) if direct else "",
        folder=next(iter(spec.submodule_search_locations or ()), "") if spec is not None else "",
    )


def _try(python: str, *options: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(gateway.__file__).resolve().parent.parent)
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    command = [python, "-m", "gateway.engine.probe", *options]
    try:
        return subprocess.run(  # noqa: S603 - this Python, and our own module
            command,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"it did not end within {_SECONDS} seconds")


def _death(tried: subprocess.CompletedProcess[str]) -> str:
    """Say in sentences how a process ended that printed nothing."""
    if tried.returncode == -signal.SIGILL:
        return "This build does not fit this CPU: it died of an illegal instruction."
    if tried.returncode < 0:
        return f"It died of {signal.Signals(-tried.returncode).name} when it computed."
    last = (tried.stderr.strip().splitlines() or ["it gave no reason"])[-1]
    return f"It can't be used: {last}"


def _features(system: str) -> tuple[str, ...]:
    """Return what is switched on in llama.cpp's words: `CPU : AVX2 = 1 | FMA = 1 | …`."""
    parts = [part.rpartition(":")[2].split("=") for part in system.split("|") if "=" in part]
    return tuple(name.strip() for name, value in parts if value.strip() == "1")
