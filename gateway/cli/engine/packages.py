"""Installing Python packages into the environment that this command runs in: by its pip, else by uv."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gateway.core.errors import ConfigurationError

PROJECT = "llama-cpp-python"
_STEP = re.compile(r"\[(\d+)/(\d+)\]")  # of ninja, which builds llama.cpp
_TAIL = 25


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the installer: its arguments behind `install`, and variables that it gets."""

    what: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = {}
    builds: bool = False  # shows how far a compilation is, instead of all that it prints


def installer(*, bring: bool = True) -> list[str]:
    """Return the command that installs into this environment, up to `install`.

    `bring`: unpack Python's own copy of pip where there is none.

    Raises:
        ConfigurationError: it has neither pip nor uv.
    """
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    if importlib.util.find_spec("pip") is not None:
        return pip
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("ensurepip") is not None:
        unpack = [sys.executable, "-m", "ensurepip"]
        if not bring or subprocess.run(unpack, capture_output=True, check=False).returncode == 0:  # noqa: S603
            return pip
    raise ConfigurationError((f"{sys.prefix} has no pip, and there is no uv on the PATH. Install one of them.",))


def needed() -> tuple[str, ...]:
    """Return what the extra `local` asks for, llama-cpp-python first."""
    try:
        texts = [argument(one) for one in requirements("local")]
    except importlib.metadata.PackageNotFoundError:
        texts = []
    return tuple(sorted(texts, key=lambda text: not text.startswith(PROJECT))) or (PROJECT,)


def requirements(extra: str) -> tuple[Requirement, ...]:
    """Return the packages that an extra adds on this system; none where this installation does not know the extra.

    Raises:
        PackageNotFoundError: Aduana runs from a folder of sources, and no installation says what it needs.
    """
    stated = [Requirement(line) for line in _installation().requires or ()]
    added = [one for one in stated if one.marker and one.marker.evaluate({"extra": extra})]
    added = [one for one in added if one.marker and not one.marker.evaluate({"extra": ""})]
    # INVARIANT: Aduana is never installed by its name: on PyPI that is somebody else's project.
    return tuple(one for one in added if canonicalize_name(one.name) != "aduana")


def argument(requirement: Requirement) -> str:
    """Return a requirement as the installer takes it, without the condition under which it counts."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def _installation() -> importlib.metadata.Distribution:
    for found in importlib.metadata.distributions(name="aduana"):
        if any(entry.value == "gateway.cli:main" for entry in found.entry_points):  # else a stranger's of that name
            return found
    raise importlib.metadata.PackageNotFoundError("aduana")


def carry_out(step: Step, environment: Mapping[str, str], tell: Callable[[str], None]) -> bool:
    """Run one step and return whether it succeeded. What went wrong is told in the installer's own last lines."""
    command = [*installer(), *step.arguments]
    if not step.builds:
        return subprocess.run(command, env={**environment, **step.environment}, check=False).returncode == 0  # noqa: S603
    process = subprocess.Popen(  # noqa: S603
        [*command, "--verbose"],
        env={**environment, **step.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    tail: list[str] = []
    shown = -1
    for line in process.stdout:
        tail = [*tail, line.rstrip()][-_TAIL:]
        if found := _STEP.search(line):
            tenth = 10 * int(found[1]) // max(1, int(found[2]))
            if tenth > shown:
                shown = tenth
                tell(f"  compiling llama.cpp: {10 * tenth} %")
    if process.wait() == 0:
        return True
    for line in tail:
        tell(f"  | {line}")
    return False


def typed(arguments: Sequence[str]) -> str:
    """Return arguments as a person would type them."""
    return " ".join(f'"{word}"' if re.search(r"[\s\[\]<>*]", word) else word for word in arguments)
